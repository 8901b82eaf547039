// What a name, a sign or a command line says of the word behind it; and what looks like a secret and is none.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../../corpus/secrets/random.ts'
import { createScanner } from '../../src/scanner/scanner.ts'
import { scanCuts } from './scan_cuts.ts'

const scanners = [await createScanner(), await createScanner({ mode: 'strict' })]
const random = createRandom(77)
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const base62 = `${letters}0123456789`
const key = `A1b${random.text(base62, 29)}`
const hex = `7e${random.text('0123456789abcdef', 30)}`
const uuid = `3f2b8c1e-${['4d5a', '4b6c', '9e7f'].join('-')}-0a1b2c3d4e5f`
const password = ['Tulip', '7x!', 'Rain'].join('')

function found(text: string): string[] {
  const [balanced, strict] = scanners.map((scanner) => {
    const type = text.startsWith('{') || text.startsWith('[{') ? 'application/json' : 'text/plain'
    return scanCuts(scanner!, { contentType: type }, Buffer.from(text), []).findings.length
  })
  assert.equal(balanced, strict, text)
  return Array.from({ length: balanced! }, () => text)
}

/** Each text holds one secret. */
function masks(texts: readonly string[]): void {
  assert.deepEqual(
    texts.filter((text) => found(text).length !== 1),
    [],
  )
}

/** No text holds a secret. */
function leaves(texts: readonly string[]): void {
  assert.deepEqual(
    texts.filter((text) => found(text).length !== 0),
    [],
  )
}

test('a password is found behind assignments of configuration and code', () => {
  masks([
    `DB_PASSWORD=${password}\n`,
    `db_pass: ${password}\n`,
    `password: str = '${password}'\n`,
    `const PASSWORD: &'static str = "${password}";\n`,
    `let password = String::from("${password}");\n`,
    `setenv("DB_PASSWORD", "${password}", 1);\n`,
    `<password>${password}</password>\n`,
    `<add key="DbPassword" value="${password}" />\n`,
    `  - name: DB_PASSWORD\n    value: ${password}\n`,
    `[{"name":"DB_PASSWORD","value":"${password}"}]`,
    `{"name": "DB_PASSWORD",\n  "value": "${password}"}`,
    `| DB_PASSWORD | ${password} |\n`,
    `Server=db;User Id=sa;Pwd=${password};Encrypt=yes\n`,
  ])
})

test('a password is found on command lines, in files of clients and in prose', () => {
  masks([
    `run --db-password ${password} --verbose\n`,
    `ENV DB_PASSWORD ${password}\n`,
    `curl -u admin:${password} https://api.example.com\n`,
    `mysql -h db -u root -p${password} app\n`,
    `sshpass -p '${password}' ssh root@db\n`,
    `docker login -u app -p ${password} packages.example.com\n`,
    `machine db login app password ${password}\n`,
    `db:5432:app:app:${password}\n`,
    `You log in as admin with password ${password} on db.\n`,
    `Set the password to "${password}" and restart.\n`,
  ])
})

test('a password is found behind short names, other languages\u2019 names, and signs of their own', () => {
  masks([
    `{"user":"ann","pass":"${password}"}`,
    `pass = "${password}"\n`,
    `user=ann;pass=${password};\n`,
    `storepass: ${password}\n`,
    `keytool -genkey -storepass ${password} -alias a\n`,
    `DB_PW=${password}\n`,
    `pw is ${password}\n`,
    `mot de passe : ${password}\n`,
    `contraseña: ${password}\n`,
    `wachtwoord: ${password}\n`,
    `пароль: ${password}\n`,
    `密码：${password}\n`,
    `密码是${password}\n`,
    `パスワード：${password}\n`,
    `비밀번호: ${password}\n`,
    `create user ann identified by '${password}'\n`,
    `ConvertTo-SecureString "${password}" -AsPlainText\n`,
    `requests.get(url, auth=('ann', '${password}'))\n`,
    `redis-cli -h db -a ${password} ping\n`,
    `ldapsearch -D cn=app -w ${password} -b dc=x\n`,
    `mongo db -u app -p ${password}\n`,
  ])
})

test('a password that looks drawn or chosen is found near its name, without a sign', () => {
  const drawn = ['Ih', 'qS', 'b1', 'Gg'].join('')
  masks([
    `ID/PW: master/${drawn}\n`,
    `Password:master/${drawn}\n`,
    `(PW:${drawn})\n`,
    `10.0.0.7 (id/pw: master/${drawn})\n`,
    `password for the staging box, as agreed: ${drawn}\n`,
    `the pwd of master is ${drawn}\n`,
    `id(master)/pwd(${drawn})\n`,
    `<ID>master</ID> <PW>${drawn}</PW>\n`,
    `scp master@host pw:${drawn}\n`,
    `initial password (default:${drawn})\n`,
  ])
  leaves([
    'The password for a new account must have at least eight characters, see RFC2045 and UserDto2.\n',
    'Send the password to https://example.com/Ab12Cd34Ef and wait.\n',
    'we pass FcChar8* pointers in, and ByPass2Ways\n',
    'name:password:GID:user_list\n',
    "def getpass(prompt='Password: ', stream=None):\n",
    'a problem identified by "jamesh"\n',
    'PASS: TestUpload2Files (0.12s)\n',
    '密码错误，请重新输入 Ab1\n',
    'グループパスワードは必要に応じて\n',
    "d_pwquota='undef'\ni_pwd='define'\n",
    'Subject: =?utf-8?b?44Gv44Gn44Gf44KJ44KB44Gn44GZ44CC5a6f?=\n',
  ])
})

test('a key with hardly a digit, or that begins like a path, is found whole behind its name', () => {
  const drawn = random.text(letters, 37)
  masks([
    `AWS_SECRET_ACCESS_KEY=/${drawn}7e\n`,
    `"SecretAccessKey": "/4${drawn}X"\n`,
    `api_key: ${drawn}5Qw\n`,
  ])
  leaves(['token: /var/lib/service/current/Token2Files.json\n', 'token_file=/srv/app/secrets/Production2\n'])
})

test('a key is found by a key word, or by a vendor, up to some forty characters before it', () => {
  masks([
    `FASTLY_KEY=${hex}\n`,
    `HEROKU_API_KEY=${uuid}\n`,
    `acme_key = "${hex}"\n`,
    `{"headers":{"X-Api-Key":"${hex}"}}`,
    `Authorization: Token ${hex}\n`,
    `client = DatadogClient("${hex}")\n`,
    `Use the twilio auth token ${hex} to log in.\n`,
    `VAULT_SECRET_ID=${hex}\n`,
    `- name: API_KEY\n  value: ${hex}\n`,
    `the one that works is ${key} today\n`,
  ])
})

test('references, types, placeholders and words about secrets are left', () => {
  leaves([
    'password: \u0024{DB_PASSWORD}\n',
    'password: z.string().min(8),\n',
    "password: 'this.state.password'\n",
    'https://<user>:<password>@host/path\n',
    "paths: ['password', 'headers.cookie']\n",
    'input[type="password"], input[type="text"] { color: red }\n',
    'The password is required, and the token is expired.\n',
    'password: "your-password-here"\n',
    'if (password !== other) throw new Error("passwords differ")\n',
    'docker run -u 1000:1000 -p 8080:80 image\n',
    'curl -u "$USER:$PASS" https://api.example.com\n',
    'mysql -h db -u root -p app\n',
    'mkdir -p build/output && cp -p a1.txt b2.txt\n',
    '#password_encryption = scram-sha-256\n',
    'API_KEY=EXAMPLE_KEY_1234567890\n',
    'STENCIL_PASS_DEPTH = 0x0B95\n',
  ])
})

test('digests, ids, paths, identifiers and drawings are left', () => {
  leaves([
    `pulled image@sha256:${hex}${hex}\n`,
    `example.org/lantern v1.2.3 h1:${random.text(base62, 43)}=\n`,
    `requestId=${random.text(base62, 22)} method=GET\n`,
    `session ${key} closed\n`,
    `"nextPageToken": "${key}"\n`,
    `cache_key: ${hex}\n`,
    `gpg --recv-keys ${hex.toUpperCase()}aabbccdd\n`,
    `Digest: SHA-256=${random.text(base62, 43)}=\n`,
    `commit ${hex}abcdef01\n`,
    `id: ${uuid}\n`,
    `https://docs.example.com/document/d/${random.text(base62, 30)}/edit\n`,
    'TruncSatF32x4ToI32x4Zero and CipherChaCha20Poly1305Options\n',
    'aarch64_neon_vcvtfp2fxs, COMPRESSED_RGB_PVRTC_4BPPV1_IMG\n',
    'd="M680-80v-120H560v-80h120v-120h80v120h120v80H760v120h-80Z"\n',
    `${random.text(base62, 76)}\n${random.text(base62, 76)}\n${random.text(base62, 31)}==\n`,
    `Message-ID: <${random.text(base62, 24)}@mail.example.com>\n`,
    `"note": "${Buffer.from('a sentence in base64, not a secret').toString('base64')}"\n`,
  ])
})

test('a run that nothing names is left beside a mask, so that masked text stays as it is', () => {
  const text = `digest of [REDACTED:generic-key-value]: ${key}\n`
  leaves([text])
  masks([`[REDACTED:generic-key-value] then the api key ${key}\n`])
})
