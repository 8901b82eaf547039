import { useEffect, useRef, useState } from 'preact/hooks'
import type { QueueState } from './queue_state.ts'

const stored = 'sluice.notify'
/** More at once would only be in each other's way; the page's title says how many wait. */
const notifications_at_once_max = 3

/** Lets the browser tell of new requests while the page is out of sight. Off until somebody turns it on. */
export function NotifyToggle({ queue }: { queue: QueueState }) {
  const [on, setOn] = useState(() => wanted() && permission() === 'granted')
  const [refused, setRefused] = useState(false)
  useNotifications(queue, on)
  // Browsers have no notifications on pages that came over plain http from elsewhere.
  if (permission() === 'missing') return null
  const toggle = async () => {
    const next = !on && (await Notification.requestPermission()) === 'granted'
    setRefused(!on && !next)
    setOn(next)
    localStorage.setItem(stored, next ? 'on' : 'off')
  }
  return (
    <p class="notify">
      <label class="check">
        <input type="checkbox" checked={on} onChange={toggle} />
        <span>Notify me of new requests</span>
      </label>
      {refused && (
        <span class="dim"> The browser does not allow it; change it in its settings for this page.</span>
      )}
    </p>
  )
}

/** Says who asks and what held it, and nothing of the body: notifications stay on lock screens. */
function useNotifications(queue: QueueState, on: boolean): void {
  const told = useRef(queue.news)
  useEffect(() => {
    if (told.current === queue.news) return
    told.current = queue.news
    if (!on || document.visibilityState === 'visible') return
    for (const item of queue.news.slice(-notifications_at_once_max)) {
      if (item.may_decide !== 'yes') continue
      const title = `${item.caller.email || item.caller.subject} asks ${item.connection}`
      const shown = new Notification(title, { body: `Held by ${item.rule}`, tag: item.id })
      shown.onclick = () => {
        focus()
        location.hash = `#/approvals/${item.id}`
        shown.close()
      }
    }
  }, [queue.news, on])
}

function wanted(): boolean {
  return localStorage.getItem(stored) === 'on'
}

function permission(): NotificationPermission | 'missing' {
  return 'Notification' in window && isSecureContext ? Notification.permission : 'missing'
}
