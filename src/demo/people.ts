/** Somebody who can sign in at the demo's OpenID provider. */
export interface Person {
  /** `sub` of every token. */
  readonly id: string
  readonly name: string
  readonly email: string
  readonly groups: readonly string[]
  /** One line for the sign-in page: what this person may do in the demo's policy. */
  readonly about: string
}

/** The demo's people. The groups match the policy that `demo_config.ts` writes. */
export const people: readonly Person[] = [
  {
    id: 'ana',
    name: 'Ana',
    email: 'ana@example.com',
    groups: ['ml-eng'],
    about: 'calls the models',
  },
  {
    id: 'omar',
    name: 'Omar',
    email: 'omar@example.com',
    groups: ['security-oncall', 'audit', 'platform'],
    about: 'decides what is held, reads the audit',
  },
  {
    id: 'eve',
    name: 'Eve',
    email: 'eve@example.com',
    groups: ['sales'],
    about: 'is in no group that the policy knows',
  },
]

/** The person with this id, or undefined. */
export function findPerson(id: string): Person | undefined {
  return people.find((person) => person.id === id)
}
