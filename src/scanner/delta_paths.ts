/**
 * Where the pieces of one text stand in the events of a stream, and which numbers tell the texts of one stream apart.
 * `text` paths are joined over events; `index` paths name integers of the objects on the way. `[]` is any element.
 */
export interface DeltaPaths {
  readonly text: readonly string[]
  readonly index: readonly string[]
  /** Path of the model's name in a JSON body. */
  readonly model: readonly string[]
}

/** Providers' streams, from their API references. */
export const deltaPaths: DeltaPaths = {
  text: [
    // OpenAI chat completions and what imitates them
    'choices[].delta.content',
    'choices[].delta.reasoning_content',
    'choices[].delta.reasoning',
    'choices[].delta.refusal',
    'choices[].delta.tool_calls[].function.arguments',
    'choices[].delta.function_call.arguments',
    // OpenAI completions
    'choices[].text',
    // OpenAI responses: response.*.delta events
    'delta',
    // Anthropic messages
    'delta.text',
    'delta.partial_json',
    'delta.thinking',
    'completion',
    // Gemini
    'candidates[].content.parts[].text',
    // Ollama
    'message.content',
    'response',
    // Text Generation Inference
    'token.text',
  ],
  index: [
    'choices[].index',
    'choices[].delta.tool_calls[].index',
    'index',
    'output_index',
    'content_index',
    'candidates[].index',
  ],
  model: ['model'],
}
