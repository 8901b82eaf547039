import { people } from './people.ts'

/** Text as it may stand in HTML content and in double-quoted attributes. */
export function escapeHtml(text: string): string {
  const names: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (character) => names[character] ?? '')
}

/** A whole page with one card. `body` is HTML; `title` is text. No script, nothing fetched from elsewhere. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
  :root { color-scheme: light dark }
  body { font: 16px/1.5 system-ui, sans-serif; display: grid; place-items: center; min-height: 100vh; margin: 0;
         background: light-dark(#f4f5f7, #15171c); color: light-dark(#1c2330, #e6e9ef) }
  main { width: min(26rem, 92vw); padding: 2rem; border-radius: 14px; background: light-dark(#fff, #1e222a);
         box-shadow: 0 1px 3px #0003, 0 8px 30px #0002 }
  h1 { font-size: 1.25rem; margin: 0 0 .25rem } p { margin: .25rem 0 1.25rem; opacity: .75 }
  button { display: block; width: 100%; margin: .5rem 0; padding: .7rem 1rem; text-align: left; cursor: pointer;
           font: inherit; color: inherit; border: 1px solid light-dark(#d5d9e2, #3a404c); border-radius: 10px;
           background: light-dark(#fafbfc, #262b35) }
  button:hover, button:focus-visible { border-color: #3b6ef6; outline: 2px solid #3b6ef655 }
  small { display: block; opacity: .7 } code { font-size: 1.4rem } input { font: inherit; padding: .5rem; width: 100%;
           box-sizing: border-box }
</style>
</head>
<body><main>${body}</main></body>
</html>
`
}

/** The sign-in page: one button a person, no password. Posts `person` back to the address it was served from. */
export function signInPage(client: string): string {
  const buttons = people.map(
    (person) =>
      `<button name="person" value="${escapeHtml(person.id)}"><strong>${escapeHtml(person.name)}</strong>` +
      `<small>${escapeHtml(person.about)} · groups: ${escapeHtml(person.groups.join(', '))}</small></button>`,
  )
  return page(
    'Sign in',
    `<h1>Sign in to ${escapeHtml(client)}</h1>
<p>This is the demo's own OpenID provider. There are no passwords: choose who you are.</p>
<form method="post">${buttons.join('\n')}</form>`,
  )
}
