import { z } from 'zod'
import { list, mapping, says, text } from './schema_parts.ts'

const origin_globs = list(
  text('an origin pattern, such as https://api.openai.com', (value) =>
    /^(https?|\*):\/\/[^/\s]+$/.test(value)
      ? null
      : 'must be an origin such as https://api.openai.com or "https://*.example.com", without a path',
  ),
  'origins, such as https://api.openai.com or "https://*.example.com"',
)

const api_secret = mapping({
  env: list(text('the name of an environment variable'), 'names of environment variables').optional(),
  files: list(
    text('the path of a file', (value) =>
      value.startsWith('/') && !/(^|\/)\.\.?(\/|$)/.test(value)
        ? null
        : 'must be an absolute path without . and .., such as /run/secrets/upstreams/*',
    ),
    'paths of files, such as /run/secrets/upstreams/*',
  ).optional(),
  upstreams: origin_globs,
}).check((context) => {
  if (context.value.env !== undefined || context.value.files !== undefined) return
  context.issues.push({
    code: 'custom',
    message: 'names no secret; write env or files',
    input: context.value,
  })
})

/** What connections that are added on the control plane may be. */
export const api_connections = mapping({
  upstreams: origin_globs,
  secrets: z
    .array(api_secret, { error: says('a list of secrets, each with env or files, and upstreams') })
    .default([]),
})
