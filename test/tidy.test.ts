import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createScanner } from '../src/scanner/scanner.ts'
import {
  importCycles,
  type PackageHomes,
  strayPackages,
  unreachable,
  wrongDirections,
} from './tidy/import_rules.ts'
import { importsOf } from './tidy/imports.ts'
import { findSecrets, unexplainedSecrets } from './tidy/secret_rules.ts'
import { readTree } from './tidy/source_tree.ts'
import { badNames, heldBackTests, machineTraces, tooLong, undocumentedExports } from './tidy/text_rules.ts'

const lines_max = 400
/** Longer files and their present length. An entry may only go down; nothing is added without a reason beside it. */
const longer: Readonly<Record<string, number>> = {}

/** Where each third-party package may be imported. To replace a package is the work of these files. */
const package_homes: PackageHomes = {
  '@clickhouse/client': ['src/audit/clickhouse_client.ts'],
  '@nats-io/kv': ['src/state/nats_store.ts'],
  '@nats-io/transport-node': ['src/state/nats_store.ts'],
  chdb: ['src/audit/clickhouse_client.ts'],
  jose: ['src/identity/verify_token.ts', 'src/identity/issuer_keys.ts'],
  lmdb: ['src/state/lmdb_store.ts', 'src/audit/spool.ts'],
  msgpackr: [
    'src/control/messages.ts',
    'src/state/lmdb_store.ts',
    'src/state/nats_store.ts',
    'src/audit/spool.ts',
  ],
  'oidc-provider': ['src/demo/openid_provider.ts'],
  'openid-client': ['src/control/openid_login.ts', 'src/identity/device_login.ts'],
  pino: ['src/log.ts'],
  'smol-toml': ['src/detectors/import_gitleaks.ts'],
  'prom-client': ['src/metrics/metrics.ts'],
  undici: ['src/proxy/upstream.ts'],
  'uWebSockets.js': ['src/proxy/uws_server.ts', 'src/control/uws_server.ts'],
  yaml: ['src/config/yaml_document.ts'],
  zod: ['src/config/schema.ts', 'src/config/schema_parts.ts', 'src/config/schema_api_connections.ts'],
}

/** Text that looks like a credential and is none, and why. */
const no_secrets: Readonly<Record<string, string>> = {
  'corpus/secrets/checksum.ts entropy': 'the alphabet of bech32',
  'src/detectors/blocks.ts putty-private-key': 'the first line of every PuTTY key file',
  'src/detectors/identity.ts entropy': 'the alphabet of bech32',
  'src/detectors/packages.ts entropy': 'what every token of PyPI begins with',
  'test/config/load_config.test.ts url-password': 'a reference where an address has its password',
  'test/corpus/generate.test.ts entropy': 'an alphabet',
  'test/identity/sign_aws.test.ts entropy':
    'parts of an example that AWS published, put together at run time',
  'test/proxy/proxy_stack.ts entropy': 'the random part of a token that is put together at run time',
  'test/wire/text_masker.test.ts entropy': 'the random parts of tokens that are put together at run time',
}

const tree = readTree()
const code = tree.filter(({ path }) => /\.(ts|tsx|mjs)$/.test(path) && !path.startsWith('corpus/'))
const source = code.filter(({ path }) => path.startsWith('src/'))
const imports = code.flatMap(importsOf)

/** Where the program begins: the command, the package entry, and the demo's services in the compose file. */
const entries = ['src/cli/main.ts', 'src/scanner/scanner.ts', 'src/demo/serve.ts']

test('imports flow one way', () => {
  assert.deepEqual(wrongDirections(imports), [])
})

test('no files import each other in a circle', () => {
  assert.deepEqual(importCycles(imports), [])
})

test('each third-party package stays behind its file', () => {
  assert.deepEqual(strayPackages(imports, package_homes), [])
})

test('only the scanner touches WebAssembly', () => {
  const users = source.filter(({ text }) => /\bWebAssembly\.\w/.test(text)).map(({ path }) => path)
  assert.deepEqual(users, ['src/scanner/scanner.ts'])
})

test('every source file is reached from an entry point', () => {
  const files = source.map(({ path }) => path).filter((path) => !path.endsWith('.d.ts'))
  assert.deepEqual(unreachable(files, imports, entries), [])
})

test('files are named for what they export', () => {
  assert.deepEqual(badNames(code.map(({ path }) => path)), [])
})

test('files stay short', () => {
  assert.deepEqual(tooLong(code, lines_max, longer), [])
})

test('no test is held back', () => {
  assert.deepEqual(heldBackTests(code.filter(({ path }) => path.startsWith('test/'))), [])
})

test('nothing tells on which machine the project was made', () => {
  assert.deepEqual(machineTraces(tree), [])
})

test('the exports of the scanner and of the policy are documented', () => {
  assert.deepEqual(
    undocumentedExports(source.filter(({ path }) => /^src\/(scanner|policy)\//.test(path))),
    [],
  )
})

test('no file holds what looks like a credential', async () => {
  const scanner = await createScanner()
  assert.deepEqual(unexplainedSecrets(findSecrets(tree, scanner), no_secrets), [])
})
