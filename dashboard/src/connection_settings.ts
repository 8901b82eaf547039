/** A connection's settings as the form shows them. */
export interface FormSettings {
  readonly upstream: string
  readonly kind: CredentialKind
  /** Of the header or the parameter. */
  readonly credential_name: string
  /** `${env:NAME}` or `${file:/path}`. */
  readonly reference: string
  /** With commas between. */
  readonly groups: string
  /** JSON of every other setting. */
  readonly more: string
}

/** How the gateway signs in; `other`: by what stands among the other settings. */
export type CredentialKind = 'none' | 'bearer' | 'header' | 'query' | 'other'

/** What an empty form shows. */
export const empty_settings: FormSettings = {
  upstream: '',
  kind: 'bearer',
  credential_name: '',
  reference: '',
  groups: '',
  more: '',
}

type Settings = Readonly<Record<string, unknown>>

/** Settings in the form; what it has no field for is among the others. */
export function formOf(settings: Settings): FormSettings {
  const { upstream, credential, allow, ...others } = settings
  const more: Record<string, unknown> = { ...others }
  const signs = credentialOf(credential)
  if (signs.kind === 'other') more.credential = credential
  const groups = onlyGroups(allow)
  if (groups === null && allow !== undefined) more.allow = allow
  return {
    upstream: typeof upstream === 'string' ? upstream : '',
    ...signs,
    groups: groups ?? '',
    more: Object.keys(more).length === 0 ? '' : JSON.stringify(more, null, 2),
  }
}

/** The settings that a form means. @throws Error with a sentence for the person */
export function settingsOf(form: FormSettings): Settings {
  const { upstream, kind, credential_name, reference, groups } = form
  const settings: Record<string, unknown> = { upstream: upstream.trim(), ...moreOf(form.more) }
  const value = reference.trim()
  if (kind === 'bearer') settings.credential = { bearer: value }
  else if (kind === 'header') settings.credential = { header: credential_name.trim(), value }
  else if (kind === 'query') settings.credential = { query: { name: credential_name.trim(), value } }
  const named = groups.split(',').flatMap((one) => one.trim() || [])
  if (named.length > 0) settings.allow = [{ groups: named }, ...listOf(settings.allow)]
  return settings
}

function moreOf(text: string): Settings {
  if (text.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('The other settings are not valid JSON.')
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Settings
  throw new Error('The other settings must be a JSON object, such as {"unscannable": "pass"}.')
}

function credentialOf(written: unknown): Pick<FormSettings, 'kind' | 'credential_name' | 'reference'> {
  const none = { kind: 'none' as const, credential_name: '', reference: '' }
  if (written === undefined) return none
  const { bearer, header, value, query } = written as Record<string, unknown>
  if (typeof bearer === 'string') return { kind: 'bearer', credential_name: '', reference: bearer }
  if (typeof header === 'string' && typeof value === 'string')
    return { kind: 'header', credential_name: header, reference: value }
  const { name, value: of_query } = (query ?? {}) as Record<string, unknown>
  if (typeof name === 'string' && typeof of_query === 'string')
    return { kind: 'query', credential_name: name, reference: of_query }
  return { ...none, kind: 'other' }
}

/** The groups, when that is all that the rules say; null otherwise. */
function onlyGroups(allow: unknown): string | null {
  const rules = listOf(allow)
  const [rule] = rules
  if (rules.length !== 1 || typeof rule !== 'object' || rule === null) return null
  const { groups } = rule as { groups?: unknown }
  const plain =
    Object.keys(rule).length === 1 && Array.isArray(groups) && !groups.some((one) => /,/.test(String(one)))
  return plain ? groups.join(', ') : null
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
