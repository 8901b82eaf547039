import { createRandom, hashName } from './random.ts'

/** A text that a secret is put into. */
export interface Carrier {
  readonly id: string
  /** What the text would be sent as. */
  readonly content_type: string
  /** The text with the secret in it, escaped as this kind of text needs. */
  embed(secret: string, seed: number): string
  /** False when a secret of several lines can't stand here. */
  readonly lines: boolean
}

const names = ['API_KEY', 'SERVICE_TOKEN', 'UPSTREAM_SECRET', 'DEPLOY_CREDENTIAL']
const hosts = ['api.example.com', 'files.example.org', 'build.example.net']

/** @param text `{secret}`, `{name}` and `{host}` in it are filled in; without `encode`, a secret of one line only */
function carrier(
  id: string,
  content_type: string,
  text: string,
  encode?: (secret: string) => string,
): Carrier {
  return {
    id,
    content_type,
    lines: encode !== undefined,
    embed(secret, seed) {
      const random = createRandom(hashName(`${id} ${seed}`))
      const filled = text.replaceAll('{name}', random.pick(names)).replaceAll('{host}', random.pick(hosts))
      return filled.split('{secret}').join(encode ? encode(secret) : secret)
    },
  }
}

const inJson = (secret: string) => JSON.stringify(secret).slice(1, -1)
const inJsonTwice = (secret: string) => inJson(inJson(secret))
const asItIs = (secret: string) => secret
const indented = (secret: string) => secret.split('\n').join('\n    ')

/** Where credentials are seen in practice. Each holds the secret once. */
export const carriers: readonly Carrier[] = [
  carrier('env-file', 'text/plain', 'NODE_ENV=production\n{name}={secret}\nPORT=8080\n'),
  carrier('env-file-quoted', 'text/plain', 'LOG_LEVEL=info\n{name}="{secret}"\n'),
  carrier(
    'shell-export',
    'text/x-shellscript',
    '#!/bin/sh\nset -e\nexport {name}={secret}\n./deploy.sh --host {host}\n',
  ),
  carrier('curl-header', 'text/plain', "curl -s https://{host}/v1/items -H 'X-Auth: {secret}' | jq .\n"),
  carrier(
    'http-header',
    'text/plain',
    'GET /v1/items HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {secret}\r\n\r\n',
  ),
  carrier('json', 'application/json', '{"name":"svc","{name}":"{secret}","retries":3}', inJson),
  carrier(
    'json-in-json',
    'application/json',
    '{"arguments":"{\\"key\\":\\"{secret}\\"}","index":0}',
    inJsonTwice,
  ),
  carrier(
    'chat-json',
    'application/json',
    '{"model":"m","messages":[{"role":"user","content":"Why is {secret} refused by {host}?"}]}',
    inJson,
  ),
  carrier('yaml', 'application/yaml', 'service:\n  host: {host}\n  {name}: {secret}\n  debug: false\n'),
  carrier('yaml-block', 'application/yaml', 'data:\n  key: |\n    {secret}\n  other: x\n', indented),
  carrier('toml', 'application/toml', '[upstream]\nhost = "{host}"\n{name} = "{secret}"\n'),
  carrier('ini', 'text/plain', '[default]\nhost={host}\n{name} = {secret}\n'),
  carrier(
    'xml',
    'application/xml',
    '<settings><server><id>main</id><value>{secret}</value></server></settings>',
  ),
  carrier(
    'python',
    'text/x-python',
    'import os\n\nclient = Client("{host}", key="{secret}")\nprint(client.status())\n',
  ),
  carrier(
    'javascript',
    'text/javascript',
    "const client = new Client('{host}', { key: '{secret}' })\nawait client.open()\n",
  ),
  carrier('go', 'text/plain', 'func main() {\n\tc := client.New("{host}", "{secret}")\n\tc.Run()\n}\n'),
  carrier('java', 'text/plain', 'private static final String {name} = "{secret}";\n'),
  carrier('dockerfile', 'text/plain', 'FROM debian:stable-slim\nENV {name}={secret}\nCMD ["/app"]\n'),
  carrier('markdown', 'text/markdown', '# Set-up\n\nUse `{secret}` as the key, then open https://{host}/.\n'),
  carrier('markdown-block', 'text/markdown', 'Run this:\n\n```\n{secret}\n```\n\nand wait.\n', asItIs),
  carrier('markdown-table', 'text/markdown', '| name | value |\n|---|---|\n| {name} | {secret} |\n'),
  carrier(
    'prose',
    'text/plain',
    'Hi, please use {secret} for the import until Friday, then rotate it. Thanks!',
    asItIs,
  ),
  carrier('sentence-end', 'text/plain', 'The one that works is {secret}. Do not share it.'),
  carrier(
    'log-line',
    'text/plain',
    '2026-01-14T09:12:44.103Z WARN worker[3] rejected credential {secret} from 10.0.3.7\n',
  ),
  carrier('url-query', 'text/plain', 'GET https://{host}/hook?team=4&token={secret}&v=2 200 12ms\n'),
  carrier('url-password', 'text/plain', 'git clone https://build:{secret}@{host}/team/app.git\n'),
  carrier('csv', 'text/csv', 'id,owner,credential\n17,ana,{secret}\n18,bo,none\n'),
  carrier('html', 'text/html', '<p>Your key: <code>{secret}</code></p>', asItIs),
  carrier('diff', 'text/plain', '--- a/.env\n+++ b/.env\n+{name}={secret}\n'),
  carrier('terraform', 'text/plain', 'provider "svc" {\n  host = "{host}"\n  key  = "{secret}"\n}\n'),
]
