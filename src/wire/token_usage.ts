const MARKS = ['_tokens"', 'TokenCount"'].map((text) => Buffer.from(text))
/** A key, its colon and its number may lie on both sides of a chunk's border. */
const carry_bytes = 64
const NAMED =
  /(^|[^\\])"(total_tokens|input_tokens|output_tokens|prompt_tokens|completion_tokens|totalTokenCount)"\s*:\s*(\d{1,10})(?=[\s,}\]])/g

/**
 * Reads from a response how many tokens the provider counted, as it passes: `usage` of OpenAI's chat, completions and
 * Responses, of Anthropic (input in its first event, output in its last) and Gemini. In JSON an unescaped `"total_tokens":`
 * is a key, never text: quotation marks in text are escaped. Of several values of a name the largest counts, so that what a
 * caller makes a model's service repeat cannot lower it.
 */
export class TokenUsage {
  readonly #seen = new Map<string, number>()
  #carry: Buffer = Buffer.alloc(0)

  push(chunk: Uint8Array): void {
    const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const text = this.#carry.length === 0 ? view : Buffer.concat([this.#carry, view])
    if (MARKS.some((mark) => text.includes(mark))) this.#read(text.toString('latin1'))
    this.#carry = Buffer.from(text.subarray(Math.max(0, text.length - carry_bytes)))
  }

  /** 0 when the provider told none. */
  total(): number {
    const of = (name: string) => this.#seen.get(name) ?? 0
    const total = Math.max(of('total_tokens'), of('totalTokenCount'))
    const parts = Math.max(
      of('input_tokens') + of('output_tokens'),
      of('prompt_tokens') + of('completion_tokens'),
    )
    return Math.max(total, parts)
  }

  #read(text: string): void {
    for (const [, , name = '', number] of text.matchAll(NAMED))
      this.#seen.set(name, Math.max(this.#seen.get(name) ?? 0, Number(number)))
  }
}
