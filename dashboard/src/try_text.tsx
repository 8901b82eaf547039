import { useState } from 'preact/hooks'
import type { ScanResult } from '../../src/control/api_shapes.ts'
import { api, messageOf } from './api.ts'
import { MarkedText } from './marked_text.tsx'
import { durationText } from './number_text.ts'

const types = ['text/plain', 'application/json', 'text/event-stream', 'application/x-ndjson']
const characters_max = 50_000

/** Scans a text on the server, which keeps nothing of it. */
export function TryText() {
  const [text, setText] = useState('')
  const [type, setType] = useState('text/plain')
  const [result, setResult] = useState<ScanResult | null>(null)
  const [failure, setFailure] = useState('')
  const [busy, setBusy] = useState(false)
  const scan = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    try {
      const body = JSON.stringify({ text, content_type: type })
      const headers = { 'content-type': 'application/json' }
      setResult(await api<ScanResult>('/api/v1/scan', { method: 'POST', body, headers }))
      setFailure('')
    } catch (error) {
      setFailure(messageOf(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <section class="try" aria-label="Try a text">
      <form onSubmit={scan}>
        <label for="try-text">
          <h3>Try a text</h3>
        </label>
        <textarea
          id="try-text"
          rows={7}
          maxLength={characters_max}
          value={text}
          spellcheck={false}
          placeholder="Paste what a request or an answer might hold. It is scanned by the gateway and kept nowhere."
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <div class="buttons">
          <label class="inline">
            <span>as</span>
            <select value={type} onChange={(event) => setType(event.currentTarget.value)}>
              {types.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </label>
          <button type="submit" class="button primary" disabled={busy || text === ''}>
            Scan
          </button>
        </div>
        {failure && (
          <p class="failure" role="alert">
            {failure}
          </p>
        )}
      </form>
      <div class="tried" aria-live="polite">
        {result ? <Tried result={result} /> : <p class="dim">What the gateway makes of it shows up here.</p>}
      </div>
    </section>
  )
}

function Tried({ result }: { result: ScanResult }) {
  const { findings, masked, took_us } = result
  const words = findings.filter((one) => one.kind === 'keyword').map((one) => one.masked)
  return (
    <>
      <h3>
        {findings.length === 0
          ? 'Nothing found'
          : `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}`}{' '}
        <span class="dim">in {durationText(took_us)}</span>
      </h3>
      <pre>
        <MarkedText text={masked} triggers={words} />
      </pre>
      {findings.length > 0 && (
        <ul>
          {findings.map((one) => (
            <li key={`${one.channel} ${one.start}`}>
              <span class={`chip ${one.kind === 'keyword' ? 'trigger' : 'mask'}`}>
                {one.kind === 'keyword' ? one.masked : one.detector}
              </span>{' '}
              <span class="dim">
                {one.channel} {one.start}–{one.end}
                {one.entropy > 0 && `, ${one.entropy} bits a character`}
                {one.fingerprint && ', fingerprint '}
              </span>
              {one.fingerprint && <code>{one.fingerprint}</code>}
            </li>
          ))}
        </ul>
      )}
    </>
  )
}
