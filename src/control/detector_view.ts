import type { Detector } from '../scanner/detector.ts'
import type { DetectorItem } from './api_shapes.ts'

/** One entry of the catalogue as the dashboard lists it. */
export function detectorItem(detector: Detector): DetectorItem {
  const { id, vendor, kind, source } = detector
  const token = detector.kind === 'token' ? detector : null
  return {
    id,
    vendor,
    kind,
    anchors: token ? token.anchors : detector.kind === 'block' ? [detector.begin] : [],
    checksum: token?.checksum ?? '',
    identifier: token?.identifier ?? false,
    unconfirmed: token?.unconfirmed ?? false,
    source,
  }
}
