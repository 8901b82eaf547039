// How much a run of token characters differs from words and identifiers, in bits.
//
// A text that a machine drew from an alphabet of k characters costs log2(k) bits a character. The same text costs more
// when it is told character by character with a table of how words and identifiers go on (bigrams.ts): half as much again
// or so when it is random, less when it is made of words. The difference, summed, is the surprise: how many bits of
// evidence there are that it was drawn. Parts that are hex digits, as in names with a digest behind them, say nothing.
import { BIGRAMS } from './bigrams'
import { initLooseValues } from './loose_value'
import { initPlaceholders } from './placeholders'
import { SIZES, initRandomness, isDigit, isHex, isLetter, isUpper } from './randomness'
import { initTellingWords } from './telling_words'

const ROW: u32 = 54
const DIGIT: u32 = 52
const JOINT: u32 = 53
const START: u32 = 54

const COLUMNS: usize = memory.data(256, 16)

export function initSurprise(): void {
  initRandomness()
  initTellingWords()
  initPlaceholders()
  initLooseValues()
  for (let c: u32 = 0; c < 256; c++) {
    let column = JOINT
    if (c >= 97 && c <= 122) column = c - 97
    else if (c >= 65 && c <= 90) column = c - 39
    else if (c >= 48 && c <= 57) column = DIGIT
    store<u8>(COLUMNS + c, <u8>column)
  }
}

/** Length of the longest part without joints that surprise() last counted. */
export let longest_part: u32 = 0

/**
 * Sum over the parts between joints that are no hex digits, in bits.
 * @param capitals no letter is in lower case: words are told as if all were
 */
export function surprise(p: usize, n: u32, capitals: bool): f32 {
  let sixths: u32 = 0
  let counted: u32 = 0
  let classes: u32 = 0
  let before = START
  longest_part = 0
  let i: u32 = 0
  while (i < n) {
    let j = i
    let hex = true
    let part: u32 = 0
    while (j < n && (isLetter(p + j) || isDigit(p + j))) {
      part |= isDigit(p + j) ? 1 : isUpper(p + j) ? 4 : 2
      if (!isHex(p + j)) hex = false
      j++
    }
    // digits alone, and digits with letters of one case
    if (j - i < 4 || !hex || (part & 1) == 0 || part == 7) {
      classes |= part
      longest_part = max(longest_part, j - i)
      counted += j - i
      for (; i < j; i++) {
        let column = <u32>load<u8>(COLUMNS + load<u8>(p + i))
        if (capitals && column >= 26 && column < DIGIT) column -= 26
        sixths += load<u8>(BIGRAMS + before * ROW + column)
        before = column
      }
    }
    i = j + 1
    before = JOINT
  }
  return <f32>sixths / 6.0 - <f32>counted * load<f32>(SIZES + (<usize>classes << 2))
}
