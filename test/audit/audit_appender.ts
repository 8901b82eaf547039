// A gateway's audit under load: prints how many of its records are on the disk, until it is killed.
import { openAudit } from '../../src/audit/audit.ts'
import { keptLog, madeUpRecord } from './made_up.ts'

const [folder = ''] = process.argv.slice(2)
const audit = await openAudit({
  folder,
  clickhouse: null,
  retention_days: 36_500,
  log: keptLog().log,
  tuning: { batch_ms_max: 20 },
})
let appended = 0
for (;;) {
  for (let n = 0; n < 50; n++) audit.append(madeUpRecord(appended++))
  await audit.durable()
  process.stdout.write(`${appended}\n`)
  await new Promise((resolve) => setTimeout(resolve, 5))
}
