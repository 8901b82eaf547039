import { useEffect, useRef } from 'preact/hooks'

/** Calls back for single keys (`a`, `Shift+a`, `Escape`), unless somebody is typing or holds a modifier. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const current = useRef(keys)
  current.current = keys
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return
      if (
        event.target instanceof HTMLElement &&
        event.target.closest('input:not([type=checkbox]), textarea, select')
      )
        return
      // Caps lock is no shift.
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
      const act = current.current[event.shiftKey ? `Shift+${key}` : key]
      if (!act) return
      event.preventDefault()
      act()
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  }, [])
}
