// The literals behind which a value is looked for.

/** Key words whose values people choose (1), those whose values machines draw (2), and programs with their flags. */
export const contextWords: readonly (readonly [number, readonly string[]])[] = [
  [1, ['password', 'passwd', 'passphrase', 'pwd', '_pass', 'dbpass', 'passwort', 'kennwort', 'contrasena']],
  [
    2,
    [
      'secret',
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
    ],
  ],
  // command lines, see assembly/command_line.ts
  [3, [' -u ', ' --user ']],
  [4, ['mysql ', 'mysqldump ', 'mysqladmin ']],
  [5, ['sshpass ', 'docker login ', 'podman login ']],
  [6, [':5432:']],
]
