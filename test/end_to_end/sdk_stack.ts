import { type Played, type PlayedUpstream, startPlayedUpstream } from './played_upstream.ts'
import { type Stack, startStack } from './stack.ts'

/** The whole gateway, with a connection `sdk` to an upstream that plays the given answers. */
export interface SdkStack {
  readonly stack: Stack
  readonly upstream: PlayedUpstream
  /** Address of the connection. */
  readonly base: string
  /** An access token of somebody who may use it: what the SDKs are given for a key. */
  readonly token: string
  close(): Promise<void>
}

/**
 * @param settings further lines of the connection's YAML, indented by four
 * @param others further connections, indented by two
 */
export async function startSdkStack(
  answers: Readonly<Record<string, Played>>,
  settings = '',
  others: (upstream: string) => string = () => '',
): Promise<SdkStack> {
  const upstream = await startPlayedUpstream(answers)
  const connections = () => `  sdk:
    upstream: ${upstream.url}
    credential: { header: authorization, value: "Bearer \${env:UPSTREAM_KEY}" }
    allow: [{ groups: [ml-eng] }]
${settings}${others(upstream.url)}`
  const stack = await startStack({ connections }).catch(async (error) => {
    await upstream.close()
    throw error
  })
  return {
    stack,
    upstream,
    base: `${stack.proxy}/sdk`,
    token: await stack.token('ana'),
    async close() {
      await stack.close()
      await upstream.close()
    },
  }
}
