// The package ships no types; these cover what openid_provider.ts uses of it.
declare module 'oidc-provider' {
  import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'

  export interface KoaContext {
    readonly req: IncomingMessage
    readonly res: ServerResponse
    readonly method: string
    readonly path: string
    readonly oidc: {
      readonly client?: { readonly clientId: string; readonly clientName?: string }
      readonly account: { readonly accountId: string }
      readonly provider: Provider
      readonly session: { readonly accountId: string }
    }
    status: number
    type: string
    body: unknown
    set(name: string, value: string): void
    redirect(url: string): void
  }

  export interface Interaction {
    readonly uid: string
    readonly prompt: { readonly name: string; readonly details: Readonly<Record<string, unknown>> }
    readonly params: Readonly<Record<string, string | undefined>>
  }

  export interface Grant {
    addOIDCScope(scope: string): void
    addResourceScope(resource: string, scope: string): void
    save(): Promise<string>
  }

  export interface AdapterInstance {
    upsert(id: string, payload: Record<string, unknown>, expiresIn?: number): Promise<void>
    find(id: string): Promise<Record<string, unknown> | undefined>
    findByUserCode(userCode: string): Promise<Record<string, unknown> | undefined>
    findByUid(uid: string): Promise<Record<string, unknown> | undefined>
    consume(id: string): Promise<void>
    destroy(id: string): Promise<void>
    revokeByGrantId(grantId: string): Promise<void>
  }

  export interface Client {
    readonly clientId: string
  }

  export default class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>)
    readonly issuer: string
    proxy: boolean
    readonly Client: { find(id: string): Promise<Client | undefined> }
    readonly Grant: new (fields: {
      accountId: string
      clientId: string
    }) => Grant
    readonly AccessToken: new (
      fields: Record<string, unknown>,
    ) => { save(): Promise<string> }
    readonly ResourceServer: new (
      identifier: string,
      info: Readonly<Record<string, unknown>>,
    ) => object
    use(middleware: (ctx: KoaContext, next: () => Promise<void>) => Promise<void> | void): this
    callback(): RequestListener
    interactionDetails(req: IncomingMessage, res: ServerResponse): Promise<Interaction>
    interactionFinished(
      req: IncomingMessage,
      res: ServerResponse,
      result: Record<string, unknown>,
    ): Promise<void>
    on(event: string, listener: (...args: never[]) => void): this
    listen(port: number, host: string): Server
  }
}
