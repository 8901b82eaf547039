// The words that give a value away, by what assembly/context.ts makes of them. In lower case; case does not matter in ASCII.

/** Names of what people choose, whatever stands around them. */
const passwords = [
  'password',
  'passwd',
  'passphrase',
  'pwd',
  '_pass',
  // other languages' words; those with letters beyond ASCII in both cases of the first
  'passwort',
  'kennwort',
  'contrasena',
  'contraseña',
  'mot de passe',
  'senha:',
  'wachtwoord',
  'hasło',
  'şifre',
  'пароль',
  'Пароль',
  '密码',
  '密碼',
  '口令',
  'パスワード',
  '비밀번호',
  '패스워드',
]

/** Names of what machines draw. */
const tokens = [
  'token',
  'api_key',
  'api-key',
  'apikey',
  'api key',
  'access_key',
  'access-key',
  'accesskey',
  'access key',
  'auth_key',
  'authkey',
  'private_key',
  'privatekey',
  'private key',
  'encryption_key',
  'signing_key',
  'account_key',
  'accountkey',
  'sharedaccesskey',
  'credential',
  'authorization',
]

/** `pw` with what may follow it: alone it is too short to be looked for. */
const pw = ['pw:', 'pw=', 'pw"', 'pw ', 'pw)', '<pw>']

/** Programs whose password follows a flag of one letter: `tight` behind it, or also behind a space. */
const clients: readonly (readonly [string, string, 'tight' | 'spaced'])[] = [
  ['mysql ', 'p', 'tight'],
  ['mysqldump ', 'p', 'tight'],
  ['mysqladmin ', 'p', 'tight'],
  ['sshpass ', 'p', 'spaced'],
  ['docker login ', 'p', 'spaced'],
  ['podman login ', 'p', 'spaced'],
  ['mongo ', 'p', 'spaced'],
  ['mongosh ', 'p', 'spaced'],
  ['az login ', 'p', 'spaced'],
  ['redis-cli ', 'a', 'spaced'],
  ['ldapsearch ', 'w', 'spaced'],
]

/** What stands right in front of a password in quotes. */
const quoted = ['identified by ', 'convertto-securestring ']

/** What stands right in front of a name and a password, both in quotes. */
const pairs = ['auth=(', 'basicauth(']

/** One literal, and what a hit on it means: a word's number │ bytes behind the word << 8 │ a flag's letter << 16. */
export interface ContextWord {
  readonly literal: string
  readonly reference: number
}

/** Every literal that assembly/context.ts reads a value behind. */
export function contextWords(): ContextWord[] {
  const words: ContextWord[] = []
  const add = (literals: readonly string[], kind: number) => {
    for (const literal of literals) {
      const tail = /( =|:)$/.exec(literal)?.[0].length ?? 0
      words.push({ literal, reference: kind | (tail << 8) })
    }
  }
  add(passwords, 1)
  add(tokens, 2)
  words.push({ literal: 'secret', reference: 11 })
  words.push({ literal: ' -u ', reference: 3 }, { literal: ' --user ', reference: 3 })
  for (const [literal, flag, spaces] of clients) {
    words.push({ literal, reference: (spaces === 'tight' ? 4 : 5) | (flag.charCodeAt(0) << 16) })
  }
  words.push({ literal: ':5432:', reference: 6 })
  words.push({ literal: 'pass', reference: 7 })
  for (const literal of pw) words.push({ literal, reference: 8 | (1 << 8) })
  for (const literal of quoted) words.push({ literal, reference: 9 })
  for (const literal of pairs) words.push({ literal, reference: 10 })
  return words
}
