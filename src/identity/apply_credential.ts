import type { Connection, UpstreamCredential } from '../policy/snapshot.ts'
import { Problem } from '../problem/problem.ts'
import { awsPath, signAws } from './sign_aws.ts'

/** A request as it would go upstream, without the gateway's credential. */
export interface Outgoing {
  readonly method: string
  readonly origin: string
  readonly path: string
  readonly query: string
  readonly headers: string[]
  /** Null also while it streams; credentials that sign the body need it whole. */
  readonly body: Uint8Array | null
}

/** Whether the credential can only be made from the whole body. */
export function signsBody({ credential }: Connection): boolean {
  return credential?.kind === 'aws'
}

/**
 * Puts the gateway's credential in, and whatever the caller put into its place out.
 * @param now_ms since the epoch
 * @throws Problem `credential_unavailable`
 */
export function applyCredential(
  outgoing: Outgoing,
  credential: UpstreamCredential | null,
  now_ms: number,
): { readonly path: string; readonly query: string; readonly headers: string[] } {
  const { path, query, headers } = outgoing
  if (credential === null) return { path, query, headers }
  switch (credential.kind) {
    case undefined:
      return {
        path,
        query,
        headers: [
          ...without(headers, (name) => name === credential.header),
          credential.header,
          credential.value,
        ],
      }
    case 'query': {
      const kept = query.split('&').filter((pair) => pair !== '' && !isNamed(pair, credential.name))
      kept.push(`${encodeURIComponent(credential.name)}=${encodeURIComponent(credential.value)}`)
      return { path, query: kept.join('&'), headers }
    }
    case 'aws': {
      const own = /^(?:authorization|x-amz-(?:date|content-sha256|security-token))$/
      const kept = without(headers, (name) => own.test(name))
      const request = { ...outgoing, path: awsPath(path), host: new URL(outgoing.origin).host, headers: kept }
      return { path: request.path, query, headers: [...kept, ...signAws(request, credential, now_ms)] }
    }
    default:
      throw new Problem(
        'credential_unavailable',
        'the gateway has no credential for the inference service at the moment',
        { retry_after: 5 },
      )
  }
}

function without(headers: readonly string[], own: (name: string) => boolean): string[] {
  const kept: string[] = []
  for (let i = 0; i < headers.length; i += 2) if (!own(headers[i]!)) kept.push(headers[i]!, headers[i + 1]!)
  return kept
}

/** However it is escaped, and in whatever case: services differ in what they take for the same name. */
function isNamed(pair: string, name: string): boolean {
  const written = pair.split('=', 1)[0]!
  try {
    return decodeURIComponent(written).toLowerCase() === name.toLowerCase()
  } catch {
    return written.toLowerCase() === name.toLowerCase()
  }
}
