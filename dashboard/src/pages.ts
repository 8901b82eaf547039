import type { Role } from '../../src/control/messages.ts'

/** A page of the dashboard. */
export interface PageInfo {
  readonly name: string
  readonly title: string
  /** Any of these sees it. */
  readonly roles: readonly Role[]
  /** What it is about, in the list of pages. */
  readonly group: 'Decide' | 'Record' | 'Gateway'
}

const reader: readonly Role[] = ['auditor', 'admin']

/** Every page, in the order in which they are listed. The first that somebody may see opens first. */
export const all_pages: readonly PageInfo[] = [
  { name: 'approvals', title: 'Approvals', roles: ['approver', 'admin'], group: 'Decide' },
  { name: 'sessions', title: 'Sessions', roles: reader, group: 'Record' },
  { name: 'findings', title: 'Findings', roles: reader, group: 'Record' },
  { name: 'connections', title: 'Connections', roles: reader, group: 'Gateway' },
  { name: 'policy', title: 'Policy', roles: reader, group: 'Gateway' },
  { name: 'keys', title: 'API keys', roles: ['admin'], group: 'Gateway' },
  { name: 'detectors', title: 'Detectors', roles: reader, group: 'Gateway' },
  { name: 'system', title: 'System', roles: reader, group: 'Gateway' },
]
