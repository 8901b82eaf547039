/** Lengths of the pieces in turn: so that cuts fall inside prefixes, inside tokens, and between `=` and its value. */
const lengths = [7, 2, 5, 1, 3, 11, 1, 1, 4, 6]

/** Cuts a text into short pieces as models cut theirs into tokens, worse: never between the halves of a surrogate pair. */
export function* awkwardPieces(text: string): Generator<string> {
  const characters = [...text]
  for (let at = 0, turn = 0; at < characters.length; turn++) {
    const length = lengths[turn % lengths.length] as number
    yield characters.slice(at, at + length).join('')
    at += length
  }
}
