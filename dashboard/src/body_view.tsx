import { useMemo, useState } from 'preact/hooks'
import { indentJson, isJson } from './indent_json.ts'
import { MarkedText } from './marked_text.tsx'
import { streamedText } from './streamed_text.ts'

export interface BodyViewProps {
  readonly label: string
  readonly text: string
  readonly content_type: string
  readonly triggers?: readonly string[]
  /** Said below when not everything is shown. */
  readonly note?: string
}

const no_triggers: readonly string[] = []

/** A masked body: indented when it is JSON, put together when it is a stream, or exactly as sent. */
export function BodyView({ label, text, content_type, triggers = no_triggers, note }: BodyViewProps) {
  const [raw, setRaw] = useState(false)
  const json = isJson(content_type)
  const streamed = useMemo(() => streamedText(text, content_type), [text, content_type])
  const readable = json ? indentJson(text) : (streamed ?? text)
  return (
    <section class="body-view" aria-label={label}>
      <header>
        <h3>{label}</h3>
        <span class="dim">{content_type || 'no content type'}</span>
        {(json || streamed !== null) && (
          <label class="toggle">
            <input type="checkbox" checked={raw} onChange={() => setRaw(!raw)} /> as sent
          </label>
        )}
      </header>
      {text === '' ? (
        <p class="dim">Empty.</p>
      ) : (
        <pre>
          <MarkedText text={raw ? text : readable} triggers={triggers} />
        </pre>
      )}
      {note && <p class="note">{note}</p>}
    </section>
  )
}
