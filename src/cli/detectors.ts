import { parseArgs } from 'node:util'
import { catalogue } from '../detectors/catalogue.ts'
import { exportGitleaks } from '../detectors/export_gitleaks.ts'
import type { Detector } from '../scanner/detector.ts'
import { writeOut } from './standard_output.ts'
import { textTable } from './text_table.ts'
import { isUsageError, UsageError } from './usage_error.ts'

export const usage = `usage: sluice detectors [--format FORMAT]

Lists what can be found, foremost first: of matches that begin at the same place, the earlier gives the label.

--format FORMAT  table (default); json, each entry as the catalogue has it; gitleaks, a gitleaks.toml with the formats that a
                 regular expression can state

Exit code 0: done, 2: called wrongly.
`

/** `sluice detectors`. */
export async function run(args: string[]): Promise<number> {
  try {
    const { values } = parseArgs({ args, options: { format: { type: 'string' } } })
    await writeOut(listing(values.format ?? 'table'))
    return 0
  } catch (error) {
    if (!isUsageError(error)) throw error
    process.stderr.write(`sluice detectors: ${error.message}\n\n${usage}`)
    return 2
  }
}

function listing(format: string): string {
  switch (format) {
    case 'table':
      return textTable(['DETECTOR', 'KIND', 'VENDOR', 'BEGINS OR HOLDS', 'NOTE'], catalogue.map(tableRow))
    case 'json':
      return `${JSON.stringify(catalogue, null, 2)}\n`
    case 'gitleaks':
      return exportGitleaks(catalogue)
    default:
      throw new UsageError(`--format must be table, json or gitleaks, not ${format}`)
  }
}

function tableRow(detector: Detector): string[] {
  const { id, kind, vendor } = detector
  if (kind === 'builtin') return [id, kind, vendor, '', detector.source]
  if (kind === 'block') return [id, kind, vendor, `${detector.begin} ${detector.begin_contains}`.trim(), '']
  const shown = detector.anchors.slice(0, 3).join(' ')
  const anchors = detector.anchors.length > 3 ? `${shown} … ${detector.anchors.length} in all` : shown
  return [
    id,
    kind,
    vendor,
    anchors,
    detector.unconfirmed ? 'seen in samples; no page of the vendor states it' : '',
  ]
}
