import { pipeline, type Transform } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import * as zlib from 'node:zlib'
import type { ContentCoding } from './content_codings.ts'

/**
 * Streams that encode one after the other, each piece flushed, so that who decodes sees it at once. To be piped through or
 * written to at the first, and read from the last; destroying one destroys all.
 * @param codings in the order in which they are applied; not empty
 */
export function createEncoder(codings: readonly ContentCoding[]): { first: Transform; last: Transform } {
  const stages = codings.map(stageOf)
  const first = stages[0]!
  const last = stages.at(-1)!
  if (stages.length > 1) pipeline(stages, () => {}) // whoever uses the ends hears of errors there
  return { first, last }
}

/** The whole of a body, encoded. */
export async function encodeWhole(codings: readonly ContentCoding[], body: Uint8Array): Promise<Uint8Array> {
  const { first, last } = createEncoder(codings)
  first.end(body)
  return await buffer(last)
}

/** Quick levels: what is saved on the wire beyond them costs more than it is worth on the way. */
function stageOf(coding: ContentCoding): Transform {
  const { constants } = zlib
  switch (coding) {
    case 'gzip':
      return zlib.createGzip({ level: 4, flush: constants.Z_SYNC_FLUSH })
    case 'deflate':
      return zlib.createDeflate({ level: 4, flush: constants.Z_SYNC_FLUSH })
    case 'br':
      return zlib.createBrotliCompress({
        flush: constants.BROTLI_OPERATION_FLUSH,
        params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 18 },
      })
    case 'zstd':
      return zlib.createZstdCompress({
        flush: constants.ZSTD_e_flush,
        params: { [constants.ZSTD_c_compressionLevel]: 3 },
      })
  }
}
