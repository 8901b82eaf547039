import type { Me } from './messages.ts'
import type { Person } from './person.ts'

/** What a person is told about themselves. */
export function meOf({ principal, roles }: Person, gateway: string): Me {
  const { subject, email, groups } = principal
  return { subject, email, groups, roles, gateway }
}
