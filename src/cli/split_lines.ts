/**
 * Lines of UTF-8 text, without their `\n` or `\r\n`. A last line without an end counts when it is not empty.
 * @throws RangeError when a line is longer than `line_bytes_max`
 */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  line_bytes_max: number,
): AsyncGenerator<string> {
  let pieces: Buffer[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      yield lineOf([...pieces, chunk.subarray(from, at)])
      pieces = []
      bytes = 0
      from = at + 1
    }
    bytes += chunk.length - from
    if (bytes > line_bytes_max) throw new RangeError(`a line is longer than ${line_bytes_max} bytes`)
    if (from < chunk.length) pieces.push(chunk.subarray(from))
  }
  if (bytes > 0) yield lineOf(pieces)
}

function lineOf(pieces: readonly Buffer[]): string {
  const line = (pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)).toString('utf8')
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
