import { useMemo, useState } from 'preact/hooks'
import type { ExchangeFrames } from '../../src/control/api_shapes.ts'
import type { ExchangeDetail } from '../../src/control/messages.ts'
import { indentJson, isJson } from './indent_json.ts'
import { LoadState } from './load_state.tsx'
import { MarkedText } from './marked_text.tsx'
import { durationText } from './number_text.ts'
import { useReplayClock } from './replay_clock.ts'
import { streamedText } from './streamed_text.ts'
import { useKeys } from './use_keys.ts'
import { useLoad } from './use_load.ts'

/** Plays what was recorded of an exchange, each frame when it went out. */
export function Replay({ id, exchange }: { id: string; exchange: ExchangeDetail }) {
  const loaded = useLoad<ExchangeFrames>(`/api/v1/exchanges/${encodeURIComponent(id)}/frames`)
  return (
    <>
      <LoadState of={loaded} what="the recording" />
      {loaded.data?.frames.length === 0 && (
        <p class="note">No body was recorded: there is nothing to play.</p>
      )}
      {loaded.data && loaded.data.frames.length > 0 && <Player recording={loaded.data} exchange={exchange} />}
    </>
  )
}

const speeds = [0.25, 0.5, 1, 2, 4, 16]
const step_us = 1_000_000

function Player({ recording, exchange }: { recording: ExchangeFrames; exchange: ExchangeDetail }) {
  const [speed, setSpeed] = useState(1)
  const [raw, setRaw] = useState(false)
  const { frames, total_us } = recording
  const clock = useReplayClock(total_us, speed)
  const { at_us, playing, play, pause, seek } = clock
  useKeys({
    ' ': playing ? pause : play,
    ArrowLeft: () => seek(at_us - step_us),
    ArrowRight: () => seek(at_us + step_us),
  })
  const out = frames.findLastIndex((frame) => frame.offset_us <= at_us) + 1
  const request = useTextUpTo(recording, 'request', out)
  const response = useTextUpTo(recording, 'response', out)
  const readable = useMemo(
    () => (raw ? null : streamedText(response, exchange.response.content_type)),
    [raw, response, exchange.response.content_type],
  )
  return (
    <section class="replay" aria-label="Replay">
      <div class="player">
        <button type="button" class="button primary" onClick={playing ? pause : play}>
          {playing ? 'Pause' : 'Play'}
        </button>
        <input
          type="range"
          aria-label="Position"
          aria-valuetext={durationText(at_us)}
          min={0}
          max={total_us}
          step={1_000}
          value={at_us}
          onInput={(event) => seek(Number(event.currentTarget.value))}
        />
        <output class="number">
          {durationText(at_us)} / {durationText(total_us)}
        </output>
        <label class="inline">
          <span>Speed</span>
          <select value={String(speed)} onChange={(event) => setSpeed(Number(event.currentTarget.value))}>
            {speeds.map((one) => (
              <option key={one} value={String(one)}>
                {one} ×
              </option>
            ))}
          </select>
        </label>
        <label class="check">
          <input type="checkbox" checked={raw} onChange={() => setRaw(!raw)} />
          <span>as sent</span>
        </label>
      </div>
      <Ticks recording={recording} />
      <p class="dim frames" aria-live="off">
        {out} of {frames.length} frames
        {recording.erased && '; its bodies were erased'}
        {recording.truncated && '; only the beginning was recorded'}
      </p>
      <h3>Request</h3>
      <pre class="replayed">
        <MarkedText
          text={!raw && isJson(exchange.request.content_type) ? indentJson(request) : request}
          triggers={[]}
        />
      </pre>
      <h3>Response {playing && <span class="chip ok">playing</span>}</h3>
      <pre class="replayed response">
        <MarkedText text={readable ?? response} triggers={[]} />
        {playing && <span class="caret" />}
      </pre>
    </section>
  )
}

/** All that one side had sent when `out` frames were out. */
function useTextUpTo({ frames }: ExchangeFrames, direction: 'request' | 'response', out: number): string {
  return useMemo(
    () =>
      frames
        .slice(0, out)
        .filter((frame) => frame.direction === direction)
        .map((frame) => frame.text)
        .join(''),
    [frames, direction, out],
  )
}

const ticks_max = 400

/** Where on the scrubber something went out. */
function Ticks({ recording: { frames, total_us } }: { recording: ExchangeFrames }) {
  const every = Math.ceil(frames.length / ticks_max)
  return (
    <div class="ticks" aria-hidden="true">
      {frames
        .filter((_, i) => i % every === 0)
        .map((frame, i) => (
          <span
            key={i}
            class={frame.direction}
            style={{ left: `${(100 * frame.offset_us) / Math.max(1, total_us)}%` }}
          />
        ))}
    </div>
  )
}
