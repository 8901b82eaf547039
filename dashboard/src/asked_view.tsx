import type { AskedText } from '../../src/control/messages.ts'
import { MarkedText } from './marked_text.tsx'

/** What is asked, as text with who says it. The body as it is sent stands below it. */
export function AskedView({ texts, triggers }: { texts: readonly AskedText[]; triggers: readonly string[] }) {
  if (texts.length === 0) return null
  return (
    <section class="asked" aria-label="What is asked">
      <h3>What is asked</h3>
      <ol>
        {texts.map(({ role, text }, i) => (
          <li key={i} class={role === 'user' || role === '' ? 'said' : 'around'}>
            {role !== '' && <span class="role">{role}</span>}
            <p>
              <MarkedText text={text} triggers={triggers} />
            </p>
          </li>
        ))}
      </ol>
    </section>
  )
}
