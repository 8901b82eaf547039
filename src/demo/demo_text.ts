import type { DemoPorts } from './demo_config.ts'

/** One thing to try: what it shows, and the shell command that shows it. */
export interface DemoStep {
  readonly title: string
  readonly command: string
}

/** Commands to try, in order. Each works when pasted into a shell in the project's folder, as long as the demo runs. */
export function demoSteps(ports: DemoPorts): DemoStep[] {
  const gateway = `http://127.0.0.1:${ports.proxy}`
  const control = `http://127.0.0.1:${ports.control}`
  const token = (person: string) => `$(curl -s http://127.0.0.1:${ports.provider}/demo/token/${person})`
  const chat = (person: string, stream: boolean, words: string) =>
    `curl -s${stream ? 'N' : ''} ${gateway}/openai/v1/chat/completions -H "authorization: Bearer ${token(person)}" ` +
    `-H 'content-type: application/json' -d '${chatBody(stream, words)}'`
  const cli = (person: string, command: string) =>
    `SLUICE_URL=${control} SLUICE_TOKEN="${token(person)}" npx sluice ${command}`
  return [
    {
      title: 'A streamed answer that leaks credentials, cut over many deltas: masked as it passes.',
      command: chat('ana', true, 'Show me the deployment settings'),
    },
    {
      title: 'The same for a custom JSON service.',
      command:
        `curl -s ${gateway}/flask/predict -H "authorization: Bearer ${token('ana')}" ` +
        `-H 'content-type: application/json' -d '{"inputs":["hello"]}'`,
    },
    {
      title: 'Somebody in the wrong group: refused with 403.',
      command: chat('eve', false, 'Show me the deployment settings'),
    },
    {
      title: `A risky word: this waits until somebody approves it, at ${control}/ (as Omar) or in a second terminal.`,
      command: chat('ana', false, 'Please export the customer list'),
    },
    { title: 'What waits, in a second terminal.', command: cli('omar', 'approvals list') },
    {
      title: 'Clear it, with the id from that list.',
      command: cli('omar', 'approvals approve ID --reason "known customer"'),
    },
    {
      title: 'What was recorded, read back from ClickHouse: masked.',
      command: cli(
        'omar',
        `sql "SELECT started_at, email, connection, status, outcome, response_text FROM transcripts ORDER BY started_at DESC LIMIT 5"`,
      ),
    },
  ]
}

function chatBody(stream: boolean, words: string): string {
  return JSON.stringify({
    model: 'demo-small',
    ...(stream ? { stream } : {}),
    messages: [{ role: 'user', content: words }],
  })
}

/** What the demo prints once everything runs. */
export function demoText(ports: DemoPorts, folder: string): string {
  const steps = demoSteps(ports).map(
    ({ title, command }, index) => `${index + 1}. ${title}\n\n   ${command}\n`,
  )
  return `
Sluice demo. It listens on this machine's loopback only; its people and credentials are made up and gone when it stops.
There is no ./sluice.yaml, so this is what starts. For the real thing write one (docs/configuration.md).

   gateway     http://127.0.0.1:${ports.proxy}/openai/v1 and /flask
   dashboard   http://127.0.0.1:${ports.control}/          sign in as Omar to decide what is held
   people      http://127.0.0.1:${ports.provider}           ana calls, omar approves and reads the audit, eve may nothing
   service     http://127.0.0.1:${ports.inference}           what stands behind the gateway, and leaks
   files       ${folder}     the configuration (sluice.yaml), state and audit

To try:

${steps.join('\n')}
Stop it with Ctrl-C.
`
}
