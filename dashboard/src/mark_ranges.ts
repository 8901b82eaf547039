/** A piece of text, and what it is: a mask that stands for a secret, a word that held the request, or neither. */
export interface MarkedPiece {
  readonly text: string
  readonly mark: 'mask' | 'trigger' | null
}

const mask_shape = /\[(?:REDACTED|SECRET):[a-z0-9:-]{1,80}\]/gi
const triggers_max = 200

/**
 * Cuts masked text into pieces with the masks and the trigger words marked. Trigger words match as the scanner finds
 * them: without regard to case, as whole words. Masks win where both would match.
 */
export function markRanges(text: string, triggers: readonly string[]): MarkedPiece[] {
  const pieces: MarkedPiece[] = []
  let end = 0
  for (const match of text.matchAll(mask_shape)) {
    addWords(pieces, text.slice(end, match.index), triggers)
    pieces.push({ text: match[0], mark: 'mask' })
    end = match.index + match[0].length
  }
  addWords(pieces, text.slice(end), triggers)
  return pieces
}

function addWords(pieces: MarkedPiece[], text: string, triggers: readonly string[]): void {
  const words = triggers.filter((word) => word !== '').slice(0, triggers_max)
  let end = 0
  if (words.length > 0) {
    const longestFirst = words.toSorted((one, other) => other.length - one.length).map(escaped)
    const pattern = new RegExp(`(?<![\\p{L}\\p{N}_])(?:${longestFirst.join('|')})(?![\\p{L}\\p{N}_])`, 'giu')
    for (const match of text.matchAll(pattern)) {
      if (match.index > end) pieces.push({ text: text.slice(end, match.index), mark: null })
      pieces.push({ text: match[0], mark: 'trigger' })
      end = match.index + match[0].length
    }
  }
  if (end < text.length) pieces.push({ text: text.slice(end), mark: null })
}

function escaped(word: string): string {
  return word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replace(/\s+/g, '\\s+')
}
