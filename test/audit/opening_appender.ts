// A gateway's audit with one exchange ended and one that only began; says so once both are on the disk, and waits.
import { openAudit } from '../../src/audit/audit.ts'
import { keptLog, madeUpRecord } from './made_up.ts'

const [folder = ''] = process.argv.slice(2)
const audit = await openAudit({ folder, clickhouse: null, retention_days: 36_500, log: keptLog().log })
const ended = madeUpRecord(1)
audit.appendOpening({ ...ended, status: 0 })
audit.appendOpening(madeUpRecord(2, { status: 0 }))
await audit.durable()
audit.append(ended)
await audit.durable()
process.stdout.write('durable\n')
setInterval(() => {}, 1_000)
