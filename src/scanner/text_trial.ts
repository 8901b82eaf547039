import { catalogue } from '../detectors/catalogue.ts'
import { createScanner, type Detector, type Finding, type Scanner } from './scanner.ts'

/** Scanner settings that a trial follows; a subset of `ScannerOptions`. */
export interface TrialSettings {
  readonly mode: 'balanced' | 'strict'
  readonly entropy: boolean
  readonly keywords: readonly string[]
  /** 32 bytes. */
  readonly fingerprint_key: Uint8Array
}

/** What a text would become. */
export interface Trial {
  readonly masked: string
  readonly findings: readonly Finding[]
  readonly took_us: number
}

/** Scans texts that people try, as the gateway would, and keeps nothing of them. */
export interface TextTrial {
  readonly detectors: readonly Detector[]
  /** @param content_type chooses the framing, as for a body */
  scan(text: string, content_type: string): Promise<Trial>
}

/** @param settings the ones in force; a scanner is built at the first trial and again when they changed. */
export function openTextTrial(settings: () => TrialSettings): TextTrial {
  let built: { readonly from: TrialSettings; readonly scanner: Promise<Scanner> } | null = null
  const current = () => {
    const from = settings()
    if (built?.from !== from) {
      const { mode, entropy, keywords, fingerprint_key } = from
      const scanner = createScanner({ mode, entropy, keywords, fingerprintKey: fingerprint_key })
      built = { from, scanner }
    }
    return built.scanner
  }
  return {
    detectors: catalogue,
    async scan(text, content_type) {
      const scanner = await current()
      const bytes = Buffer.from(text, 'utf8')
      const began = performance.now()
      const stream = scanner.open({ contentType: content_type })
      const view = stream.end(bytes)
      const took_us = Math.round((performance.now() - began) * 1000)
      const masked = Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('utf8')
      return { masked, findings: stream.findings, took_us }
    },
  }
}
