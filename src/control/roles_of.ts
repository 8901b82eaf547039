import type { Roles } from '../config/config.ts'
import type { Principal } from '../policy/principal.ts'

/** What somebody may do on the control plane. None of them lets anybody decide what their groups may not decide. */
export type Role = keyof Roles

const all_roles: readonly Role[] = ['admin', 'approver', 'auditor']

/** The roles that a person's groups give, by `identity.roles`. */
export function rolesOf(person: Principal, roles: Roles): Role[] {
  return all_roles.filter((role) => roles[role].some((group) => person.groups.includes(group)))
}
