import { createRandom } from '../secrets/random.ts'

/** A family of texts made to cost a scanner as much as can be. */
export interface HostileText {
  readonly id: string
  /** The text's first bytes; a longer one begins with a shorter one. ASCII. */
  make(bytes: number): string
}

const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** One text again and again. */
function repeated(id: string, text: string): HostileText {
  return { id, make: (bytes) => text.repeat(Math.ceil(bytes / text.length)).slice(0, bytes) }
}

/** Random characters of base64, in lines of `line` characters. */
function randomLines(id: string, line: number): HostileText {
  return {
    id,
    make(bytes) {
      const random = createRandom(line)
      const parts: string[] = []
      for (let made = 0; made < bytes; made += line + 1) {
        parts.push(Array.from({ length: line }, () => base64[random.below(64)]).join(''), '\n')
      }
      return parts.join('').slice(0, bytes)
    },
  }
}

const begin = '-----BEGIN '
const header = `eyJ${'a'.repeat(20)}`

/**
 * Anchors back to back, key words whose values are key words, beginnings of blocks and tokens that never end or break off
 * just before they would match, runs without end, random digits, brackets and quotes.
 */
export const hostile_texts: readonly HostileText[] = [
  repeated('one letter', 'a'),
  repeated('password=', 'password='),
  repeated('password with a long value', `password="${'a'.repeat(200)} `),
  repeated('token: ', 'token: '),
  repeated('a1token=', 'a1token='),
  repeated('secret and a long word', `secret ${'b'.repeat(120)} `),
  repeated('begin lines', begin),
  repeated('begin lines of keys', `${begin}RSA PRIVATE KEY-----`),
  repeated('jwt anchors', 'eyJ'),
  repeated('jwt headers', header),
  repeated('jwt headers with dots', `${header}.`),
  repeated('three-letter anchors', 'sk-'),
  repeated('long anchors', 'sk-proj-'),
  repeated('anchors with bodies too short', `sk-${'a'.repeat(30)}`),
  repeated('aws anchors', 'AKIA'),
  repeated('github anchors', 'ghp_'),
  repeated('near misses', `ghp_${'a1B2'.repeat(8)}abc `),
  repeated('all kinds of anchors', 'AKIAghp_eyJsk-xoxb-AIzaSyglpat-npm_SG.hf_dop_v1_'),
  repeated('anchors inside', '1234567890:AA'),
  repeated('joints', '1.a-B.2~c:'),
  repeated('urls without end', '://'),
  repeated('urls with users', '://a:b'),
  repeated('basic', 'basic aaaa'),
  repeated('hexadecimal digits', '0123456789abcdef'),
  repeated('names with digits', 'user_name_2_of_'),
  randomLines('random base64 in lines', 76),
  randomLines('random base64', 1_000_000),
  randomLines('random short runs', 20),
  repeated('deep JSON', '{"a":['),
  repeated('beginnings of masks', '[REDACTED:a'),
  repeated('quotes', '"'),
  repeated('backslashes', '\\'),
]
