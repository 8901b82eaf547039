// Whether a word looks like a password that a person chose.
import { listed } from './placeholders'
import { isDigit, isLetter, isUpper } from './randomness'

/** Names of algorithms that look like passwords. */
export const ALGORITHMS: string = 'scram sha-2 sha1 sha2 sha3 sha5 md5 base64 base32 argon2 pbkdf2 bcrypt scrypt utf-8 utf8 oauth2 http x509 hs256 rs256 es256 rfc aes pkcs'

/** For a value without quotes, a sign or a flag before it. */
export function looksChosen(p: usize, n: u32): bool {
  let digits: u32 = 0
  let letters: u32 = 0
  let uppers: u32 = 0
  let others: u32 = 0
  for (let i: u32 = 0; i < n; i++) {
    const c = load<u8>(p + i)
    if (isDigit(p + i)) digits++
    else if (isLetter(p + i)) {
      letters++
      if (isUpper(p + i)) uppers++
    } else if (c == 47 || c == 58 || c == 61) return false
    else if (c != 45 && c != 95 && c != 46) others++
  }
  if (letters < 2 || listed(p, n, ALGORITHMS, false)) return false
  return digits > 1 || (digits > 0 && (uppers > 0 || others > 0)) || (others > 0 && uppers > 0)
}
