import { demo_audience, demo_dashboard_client } from './openid_provider.ts'

/** The four ports of the demo, in a row. */
export interface DemoPorts {
  readonly proxy: number
  readonly control: number
  readonly provider: number
  readonly inference: number
}

/** `base` to `base + 3`. */
export function demoPorts(base: number): DemoPorts {
  return { proxy: base, control: base + 1, provider: base + 2, inference: base + 3 }
}

/**
 * The demo's `sluice.yaml`: an ordinary configuration, read by the same loader as anyone's. Its two secrets stand in
 * files beside it, as they would under /run/secrets.
 */
export function demoConfig(ports: DemoPorts): string {
  const provider = `http://127.0.0.1:${ports.provider}`
  const inference = `http://127.0.0.1:${ports.inference}`
  return `# Written by the demo at each start; changes are lost. Copy it to ./sluice.yaml to begin your own.
listen: { proxy: "127.0.0.1:${ports.proxy}", control: "127.0.0.1:${ports.control}" }
data: .
identity:
  issuer: ${provider}
  audience: ${demo_audience}
  groups_claim: groups
  dashboard: { client_id: ${demo_dashboard_client}, client_secret: "\${file:./dashboard_secret}" }
  roles: { admin: [platform], approver: [security-oncall], auditor: [audit] }
connections:
  openai:
    upstream: ${inference}
    credential: { header: authorization, value: "Bearer \${file:./inference_key}" }
    allow:
      - { groups: [ml-eng], methods: [GET], paths: ["/v1/models"] }
      - { groups: [ml-eng], methods: [POST], paths: ["/v1/chat/completions"], models: ["demo-*"] }
    request: { secrets: mask }
    response: { secrets: mask }
    approve:
      - { name: risky-words, keywords: [export, write, token], approvers: [security-oncall], hold: 3m }
  flask:
    upstream: ${inference}
    credential: { header: authorization, value: "Bearer \${file:./inference_key}" }
    allow:
      - { groups: [ml-eng], methods: [POST], paths: ["/predict"] }
    request: { secrets: mask }
    response: { secrets: mask }
api_connections:
  upstreams: ["${inference}"]
  secrets: [{ files: ["/**/inference_key"], upstreams: ["${inference}"] }]
detectors: { entropy: balanced }
audit: { retention: 7d }
`
}
