/** A sluice gate. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
      <rect width="16" height="16" rx="3.5" fill="currentColor" />
      <path
        d="M3 4h10M5 4v8M11 4v8M5 8h6"
        class="logo-lines"
        stroke-width="1.6"
        stroke-linecap="round"
        fill="none"
      />
    </svg>
  )
}
