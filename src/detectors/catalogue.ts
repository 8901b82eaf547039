import { builtinDetectors } from '../scanner/builtin_detectors.ts'
import type { Detector } from '../scanner/detector.ts'
import { ai_detectors } from './ai.ts'
import { azure_detectors } from './azure.ts'
import { block_detectors } from './blocks.ts'
import { cloud_detectors } from './cloud.ts'
import { identity_detectors } from './identity.ts'
import { messaging_detectors } from './messaging.ts'
import { observability_detectors } from './observability.ts'
import { package_detectors } from './packages.ts'
import { payment_detectors } from './payment.ts'
import { platform_detectors } from './platform.ts'
import { sluice_detectors } from './sluice.ts'
import { source_control_detectors } from './source_control.ts'
import { workplace_detectors } from './workplace.ts'

/**
 * All built-in detectors, foremost first: of matches that begin at the same byte, the earlier entry gives the label.
 * So a vendor's own format stands before one that many share (`sk-ant-…` before `sk-…`, both before `jwt`), and tokens
 * before what only its surroundings give away.
 */
export const catalogue: readonly Detector[] = [
  ...block_detectors,
  ...ai_detectors,
  ...cloud_detectors,
  ...azure_detectors,
  ...sluice_detectors,
  ...platform_detectors,
  ...source_control_detectors,
  ...package_detectors,
  ...payment_detectors,
  ...messaging_detectors,
  ...workplace_detectors,
  ...observability_detectors,
  ...identity_detectors,
  ...builtinDetectors,
]
