import { useMemo } from 'preact/hooks'
import { markRanges } from './mark_ranges.ts'

/** Masked text with its masks and trigger words marked. */
export function MarkedText({ text, triggers }: { text: string; triggers: readonly string[] }) {
  const pieces = useMemo(() => markRanges(text, triggers), [text, triggers])
  return (
    <>
      {pieces.map(({ text: piece, mark }, i) =>
        mark === null ? (
          piece
        ) : (
          <mark key={i} class={mark} title={mark === 'mask' ? 'a masked secret' : 'this held the request'}>
            {piece}
          </mark>
        ),
      )}
    </>
  )
}
