import { cut } from './made_up.ts'
import type { Played } from './played_upstream.ts'

const pieces = (text: string): string[] => cut(text, 4, 1, 7, 2)

/** An event stream of JSON data, an event a chunk. */
export function sse(events: readonly object[], end = ''): Played {
  const chunks = events.map((event) => {
    const name = (event as { type?: string }).type
    return `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(event)}\n\n`
  })
  return { content_type: 'text/event-stream', chunks: end === '' ? chunks : [...chunks, `data: ${end}\n\n`] }
}

export function json(body: unknown): Played {
  return { content_type: 'application/json', chunks: [JSON.stringify(body)] }
}

const chunk = (delta: object, finish_reason: string | null = null) => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta, finish_reason }],
})

/** OpenAI chat completions: reasoning, then text. */
export function chatText(content: string, reasoning: string): Played {
  const events = [
    chunk({ role: 'assistant', content: '' }),
    ...pieces(reasoning).map((piece) => chunk({ reasoning_content: piece })),
    ...pieces(content).map((piece) => chunk({ content: piece })),
    chunk({}, 'stop'),
  ]
  return sse(events, '[DONE]')
}

/** OpenAI chat completions: tool calls whose arguments come in turns. */
export function chatTools(calls: readonly string[]): Played {
  const cuts = calls.map(pieces)
  const turns = Math.max(...cuts.map((each) => each.length))
  const first = calls.map((_, index) =>
    chunk({
      tool_calls: [
        { index, id: `call_${index}`, type: 'function', function: { name: 'deploy', arguments: '' } },
      ],
    }),
  )
  const rest = Array.from({ length: turns }, (_, turn) =>
    cuts.flatMap((each, index) => {
      const piece = each[turn]
      return piece === undefined ? [] : [chunk({ tool_calls: [{ index, function: { arguments: piece } }] })]
    }),
  )
  return sse(
    [chunk({ role: 'assistant', content: null }), ...first, ...rest.flat(), chunk({}, 'tool_calls')],
    '[DONE]',
  )
}

/** OpenAI Responses: a reasoning summary, a message and a function call, with the events that tell each whole again. */
export function responsesEvents(summary: string, text: string, args: string): Played {
  let sequence_number = 0
  const event = (type: string, rest: object) => ({ type, sequence_number: sequence_number++, ...rest })
  const reasoning = { id: 'rs_0', type: 'reasoning', summary: [{ type: 'summary_text', text: summary }] }
  const part = { type: 'output_text', text, annotations: [] }
  const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] }
  const call = { id: 'fc_2', type: 'function_call', call_id: 'call_2', name: 'deploy', arguments: args }
  const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', status: 'completed' }
  const at = (output_index: number, item_id: string) => ({ output_index, item_id })
  const in_summary = { ...at(0, 'rs_0'), summary_index: 0 }
  const in_text = { ...at(1, 'msg_1'), content_index: 0, logprobs: [] }
  return sse([
    event('response.created', { response: { ...response, status: 'in_progress', output: [] } }),
    event('response.output_item.added', { output_index: 0, item: { ...reasoning, summary: [] } }),
    event('response.reasoning_summary_part.added', {
      ...in_summary,
      part: { type: 'summary_text', text: '' },
    }),
    ...pieces(summary).map((delta) =>
      event('response.reasoning_summary_text.delta', { ...in_summary, delta }),
    ),
    event('response.reasoning_summary_text.done', { ...in_summary, text: summary }),
    event('response.output_item.done', { output_index: 0, item: reasoning }),
    event('response.output_item.added', { output_index: 1, item: { ...message, content: [] } }),
    event('response.content_part.added', { ...in_text, part: { ...part, text: '' } }),
    ...pieces(text).map((delta) => event('response.output_text.delta', { ...in_text, delta })),
    event('response.output_text.done', { ...in_text, text }),
    event('response.content_part.done', { ...in_text, part }),
    event('response.output_item.done', { output_index: 1, item: message }),
    event('response.output_item.added', { output_index: 2, item: { ...call, arguments: '' } }),
    ...pieces(args).map((delta) =>
      event('response.function_call_arguments.delta', { ...at(2, 'fc_2'), delta }),
    ),
    event('response.function_call_arguments.done', { ...at(2, 'fc_2'), name: 'deploy', arguments: args }),
    event('response.output_item.done', { output_index: 2, item: call }),
    event('response.completed', { response: { ...response, output: [reasoning, message, call] } }),
  ])
}

/** Anthropic messages: thinking (signed), text, and a tool's input. */
export function anthropicMessage(thinking: string, text: string, input: string): Played {
  const block = (index: number, start: object, deltas: readonly object[]) => [
    { type: 'content_block_start', index, content_block: start },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [] }
  const ended = { stop_reason: 'tool_use', stop_sequence: null }
  return sse([
    {
      type: 'message_start',
      message: {
        ...message,
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 9, output_tokens: 1 },
      },
    },
    { type: 'ping' },
    ...block(0, { type: 'thinking', thinking: '', signature: '' }, [
      ...pieces(thinking).map((piece) => ({ type: 'thinking_delta', thinking: piece })),
      { type: 'signature_delta', signature: 'c2lnbmVk' },
    ]),
    ...block(
      1,
      { type: 'text', text: '' },
      pieces(text).map((piece) => ({ type: 'text_delta', text: piece })),
    ),
    ...block(
      2,
      { type: 'tool_use', id: 'toolu_1', name: 'deploy', input: {} },
      pieces(input).map((piece) => ({ type: 'input_json_delta', partial_json: piece })),
    ),
    { type: 'message_delta', delta: ended, usage: { output_tokens: 12 } },
    { type: 'message_stop' },
  ])
}

/** Gemini: text in pieces, then a function call whose arguments come whole, as the Gemini API sends them. */
export function geminiEvents(text: string, args: object): Played {
  const event = (parts: readonly object[], rest: object = {}) => ({
    candidates: [{ content: { parts, role: 'model' }, index: 0, ...rest }],
    usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 12, totalTokenCount: 21 },
    modelVersion: 'm',
  })
  return sse([
    ...pieces(text).map((piece) => event([{ text: piece }])),
    event([{ functionCall: { name: 'deploy', args } }], { finishReason: 'STOP' }),
  ])
}

/** Ollama: thinking, text, and a tool call, a JSON line each. */
export function ollamaLines(thinking: string, content: string, args: object): Played {
  const line = (message: object, rest: object = { done: false }) =>
    `${JSON.stringify({ model: 'm', created_at: '2025-01-01T00:00:00Z', message: { role: 'assistant', content: '', ...message }, ...rest })}\n`
  return {
    content_type: 'application/x-ndjson',
    chunks: [
      ...pieces(thinking).map((piece) => line({ thinking: piece })),
      ...pieces(content).map((piece) => line({ content: piece })),
      line({ tool_calls: [{ function: { name: 'deploy', arguments: args } }] }),
      line({}, { done: true, done_reason: 'stop', eval_count: 12 }),
    ],
  }
}
