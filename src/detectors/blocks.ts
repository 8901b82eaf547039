import type { BlockDetector } from '../scanner/detector.ts'

/** Private keys between a begin and an end line. More specific first: the foremost that fits gives the label. */
export const block_detectors: readonly BlockDetector[] = [
  {
    kind: 'block',
    id: 'pgp-private-key',
    vendor: 'OpenPGP',
    begin: '-----BEGIN',
    begin_contains: 'PGP PRIVATE KEY BLOCK',
    end: '-----END',
    source: 'https://www.rfc-editor.org/rfc/rfc9580#section-6.2',
  },
  {
    kind: 'block',
    id: 'private-key',
    vendor: 'PEM',
    begin: '-----BEGIN',
    begin_contains: 'PRIVATE KEY',
    end: '-----END',
    source: 'https://www.rfc-editor.org/rfc/rfc7468#section-10',
  },
  {
    kind: 'block',
    id: 'openvpn-static-key',
    vendor: 'OpenVPN',
    begin: '-----BEGIN',
    begin_contains: 'OpenVPN Static key',
    end: '-----END',
    source: 'https://openvpn.net/community-resources/static-key-mini-howto/',
  },
  {
    kind: 'block',
    id: 'ssh2-private-key',
    vendor: 'SSH Communications',
    begin: '---- BEGIN',
    begin_contains: 'PRIVATE KEY',
    end: '---- END',
    source: 'https://www.rfc-editor.org/rfc/rfc4716',
  },
  {
    kind: 'block',
    id: 'putty-private-key',
    vendor: 'PuTTY',
    begin: 'PuTTY-User-Key-File-',
    begin_contains: '',
    end: 'Private-MAC:',
    source: 'https://tartarus.org/~simon/putty-snapshots/htmldoc/AppendixC.html',
  },
]
