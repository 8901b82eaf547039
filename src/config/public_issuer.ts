import type { ConfiguredIssuer } from '../identity/issuer_keys.ts'
import type { IssuerConfig } from './config.ts'

/** What the data plane and the policy's version may know of an issuer: everything but the gateway's secret there. */
export function publicIssuer({ introspection, ...issuer }: IssuerConfig): ConfiguredIssuer {
  return introspection === undefined ? issuer : { ...issuer, introspects: true }
}
