import type { NamedSecret } from './named_secrets.ts'
import type { Random } from './random.ts'

/** A text that names what it holds. */
export interface NamedCarrier {
  readonly id: string
  readonly content_type: string
  embed(secret: NamedSecret, random: Random): string
}

const hosts = 'db.internal api.example.com localhost cache.example.org'
const vendor = (name: string) => name.split('_')[0]!.toLowerCase()
const snake = (name: string) => name.toLowerCase()
const camel = (name: string) => snake(name).replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
const pascal = (name: string) => camel(name).replace(/^./, (letter) => letter.toUpperCase())
const kebab = (name: string) => snake(name).replaceAll('_', '-')
const words = (name: string) => snake(name).replaceAll('_', ' ')

/**
 * @param text `{name}` in it is the name as it is, `{camel}` and others the same in another case; `{value}` the secret
 */
function carrier(id: string, content_type: string, text: string): NamedCarrier {
  return {
    id,
    content_type,
    embed({ name, value }, random) {
      const fills: Record<string, string> = {
        name,
        snake: snake(name),
        camel: camel(name),
        pascal: pascal(name),
        kebab: kebab(name),
        words: words(name),
        vendor: vendor(name),
        host: random.pick(hosts.split(' ')),
        number: String(random.below(100_000)),
      }
      const escaped = content_type === 'application/json' ? JSON.stringify(value).slice(1, -1) : value
      return text
        .replace(/\{(\w+)\}/g, (whole, key: string) => fills[key] ?? whole)
        .split('{value}')
        .join(escaped)
    },
  }
}

const plain = 'text/plain'

/** Where a name stands beside what it names, for machines' keys and people's passwords alike. */
const assignments: readonly NamedCarrier[] = [
  carrier('env', plain, 'NODE_ENV=production\n{name}={value}\nPORT=8080\n'),
  carrier('env quoted', plain, 'LOG=info\n{name}="{value}"\n'),
  carrier('shell export', plain, '#!/bin/sh\nexport {name}={value}\n./run.sh\n'),
  carrier('JSON', 'application/json', '{"host":"{host}","{camel}":"{value}","retries":{number}}'),
  carrier('JSON pretty', 'application/json', '{\n  "{snake}": "{value}",\n  "debug": false\n}\n'),
  carrier(
    'JSON name and value',
    'application/json',
    '[{"name":"{name}","value":"{value}"},{"name":"PORT","value":"80"}]',
  ),
  carrier('YAML', 'application/yaml', 'service:\n  host: {host}\n  {snake}: {value}\n  debug: false\n'),
  carrier('YAML quoted', 'application/yaml', "auth:\n  {kebab}: '{value}'\n"),
  carrier(
    'k8s',
    'application/yaml',
    'env:\n  - name: {name}\n    value: {value}\n  - name: PORT\n    value: "80"\n',
  ),
  carrier('compose', 'application/yaml', 'environment:\n  - {name}={value}\n  - TZ=UTC\n'),
  carrier('TOML', 'application/toml', '[upstream]\nhost = "{host}"\n{snake} = "{value}"\n'),
  carrier('INI', plain, '[default]\nhost={host}\n{snake} = {value}\n'),
  carrier('properties', plain, 'spring.datasource.{kebab}={value}\nserver.port=8080\n'),
  carrier('XML', 'application/xml', '<settings><host>{host}</host><{camel}>{value}</{camel}></settings>'),
  carrier(
    'XML attribute',
    'application/xml',
    '<appSettings><add key="{pascal}" value="{value}" /></appSettings>',
  ),
  carrier('JavaScript', plain, "import x from 'x'\n\nconst {camel} = '{value}'\nx({camel})\n"),
  carrier('JavaScript object', plain, "const client = new Client({ host: '{host}', {camel}: '{value}' })\n"),
  carrier('TypeScript', plain, 'export const {camel}: string = "{value}"\n'),
  carrier('Python', plain, 'import os\n{name} = "{value}"\n'),
  carrier('Python typed', plain, "class Settings:\n    {snake}: str = '{value}'\n"),
  carrier('Python argument', plain, 'client = Client("{host}", {snake}="{value}")\n'),
  carrier('Python environ', plain, 'os.environ["{name}"] = "{value}"\n'),
  carrier('setenv', plain, 'setenv("{name}", "{value}", 1);\n'),
  carrier('Go', plain, 'func main() {\n\t{camel} := "{value}"\n\trun({camel})\n}\n'),
  carrier('Go const', plain, 'const {pascal} = "{value}"\n'),
  carrier('Java', plain, 'private static final String {name} = "{value}";\n'),
  carrier('C#', plain, 'public string {pascal} { get; set; } = "{value}";\n'),
  carrier('C# field', plain, 'var {camel} = "{value}";\n'),
  carrier('Ruby', plain, "config.{snake} = '{value}'\n"),
  carrier('Ruby hash', plain, "Client.new(:{snake} => '{value}', host: '{host}')\n"),
  carrier('PHP', plain, "<?php\n\u0024{camel} = '{value}';\n"),
  carrier('PHP define', plain, "define('{name}', '{value}');\n"),
  carrier('PHP array', plain, "return ['{snake}' => '{value}'];\n"),
  carrier('Rust', plain, 'const {name}: &str = "{value}";\n'),
  carrier('Rust let', plain, 'let {snake} = String::from("{value}");\n'),
  carrier('Kotlin', plain, 'val {camel}: String = "{value}"\n'),
  carrier('terraform', plain, 'provider "svc" {\n  {snake} = "{value}"\n}\n'),
  carrier('Dockerfile', plain, 'FROM debian\nENV {name} {value}\nCMD ["/app"]\n'),
  carrier('docker run', plain, 'docker run -d -e {name}={value} -p 80:80 app:latest\n'),
  carrier('flag', plain, './deploy --host {host} --{kebab} {value} --verbose\n'),
  carrier('flag with sign', plain, './deploy --host {host} --{kebab}={value} --verbose\n'),
  carrier('prose is', plain, 'Hello, for the import the {words} is {value} until Friday. Thanks!'),
  carrier('prose colon', plain, 'Access to {host}:\n{words}: {value}\nPlease rotate it.'),
  carrier('prose quoted', plain, 'Please set the {words} to "{value}" and restart.'),
  carrier('Markdown table', plain, '| name | value |\n|---|---|\n| {name} | {value} |\n'),
  carrier('Markdown code', plain, '- {words}: `{value}`\n- port: `80`\n'),
]

const machine_only: readonly NamedCarrier[] = [
  carrier('header', plain, "curl -s https://{host}/v1 -H 'X-Api-Key: {value}'\n"),
  carrier('bearer', plain, 'GET /v1 HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {value}\r\n\r\n'),
  carrier('authorization token', plain, 'Authorization: Token {value}\n'),
  carrier('JSON header', 'application/json', '{"headers":{"Authorization":"Bearer {value}","Accept":"*/*"}}'),
  carrier('URL query', plain, 'GET https://{host}/hook?team={number}&api_key={value}&v=2 200\n'),
  carrier('npmrc', plain, '//packages.example.com/:_authToken={value}\n'),
  carrier(
    'storage string',
    plain,
    'DefaultEndpointsProtocol=https;AccountName=app;AccountKey={value};Suffix=net\n',
  ),
  carrier('use to', plain, 'You can use the {vendor} token {value} to log in.'),
  carrier('aws pair', plain, 'aws_access_key_id = AKIA{number}\nsecret = {value}\n'),
  carrier('client call', plain, '{vendor} = {pascal}Client("{value}")\n'),
]

const password_only: readonly NamedCarrier[] = [
  carrier('connection string', plain, 'Server={host};Database=app;User Id=sa;Password={value};Encrypt=yes\n'),
  carrier('pwd string', plain, '"Data Source={host};UID=app;Pwd={value};"\n'),
  carrier('DSN', plain, 'dsn: host={host} port=5432 user=app password={value} dbname=app\n'),
  carrier('URL', plain, 'DATABASE_URL=postgres://app:{value}@{host}:5432/app\n'),
  carrier('URL redis', plain, 'redis.connect("redis://:{value}@{host}:6379/0")\n'),
  carrier('URL in prose', plain, 'Clone https://build:{value}@{host}/team/app.git and go on.\n'),
  carrier('curl user', plain, 'curl -u admin:{value} https://{host}/api\n'),
  carrier('mysql', plain, 'mysql -h {host} -u root -p{value} app\n'),
  carrier('sshpass', plain, "sshpass -p '{value}' ssh root@{host}\n"),
  carrier('docker login', plain, 'docker login -u app -p {value} {host}\n'),
  carrier('netrc', plain, 'machine {host} login app password {value}\n'),
  carrier('pgpass', plain, '{host}:5432:app:app:{value}\n'),
  carrier('prose user', plain, 'You log in as admin with password {value} on {host}.'),
]

/** For machines' keys. */
export const context_carriers: readonly NamedCarrier[] = [...assignments, ...machine_only]
/** For people's passwords. */
export const password_carriers: readonly NamedCarrier[] = [...assignments, ...password_only]

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Where a password stands in base64 beside its user's name. */
export const basic_carriers: readonly NamedCarrier[] = [
  {
    id: 'basic header',
    content_type: plain,
    embed: ({ value }) => `Authorization: Basic ${base64(`app:${value}`)}\n`,
  },
  {
    id: 'docker config',
    content_type: 'application/json',
    embed: ({ value }) => `{"auths":{"packages.example.com":{"auth":"${base64(`app:${value}`)}"}}}`,
  },
]
