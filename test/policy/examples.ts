import type { Principal } from '../../src/policy/principal.ts'
import type { Connection } from '../../src/policy/snapshot.ts'

/** A connection that allows nobody anything, changed as the test needs it. */
export function aConnection(changes: Partial<Connection> = {}): Connection {
  return {
    name: 'service',
    upstream: 'http://127.0.0.1:9',
    credential: null,
    allow: [],
    request: { secrets: 'mask', style: 'label' },
    response: { secrets: 'mask', style: 'label' },
    approve: [],
    unscannable: 'block',
    timeouts: { connect_ms: 1000, response_headers_ms: 5000, idle_ms: 5000 },
    ...changes,
  }
}

export function aPrincipal(changes: Partial<Principal> = {}): Principal {
  return {
    subject: 'alice',
    email: 'alice@example.com',
    groups: [],
    issuer: 'https://idp.example.com',
    proof: 'oidc',
    expires_at: 4_000_000_000,
    ...changes,
  }
}
