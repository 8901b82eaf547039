/** Where a service puts the pieces of a text in the events of its streams. */
export interface ProviderShape {
  readonly name: string
  /** The page that says so. */
  readonly reference: string
  /** Strings that the client joins over events. `[]` is any element of an array. */
  readonly text: readonly string[]
  /** As `text`, of services whose top-level `index` counts the events and tells no texts apart. */
  readonly counted_text?: readonly string[]
  /** Numbers that tell texts of one path apart; in arrays an element without one counts by its position. */
  readonly index?: readonly string[]
  /** Strings that tell texts of one path apart. */
  readonly kind?: readonly string[]
  /** Objects and arrays that spell a text out a second time, a token each; nulled where something was replaced. */
  readonly spelling?: readonly string[]
  /** Those that come before their text in a whole body: emptied there, whatever the text is. */
  readonly spelling_first?: readonly string[]
  /** Strings that the service takes back only as it sent them: signed thinking in a history. */
  readonly kept?: readonly string[]
  /** The same of signatures and of what is encrypted. */
  readonly sealed?: readonly string[]
}

const openai: readonly ProviderShape[] = [
  {
    name: 'OpenAI chat completions',
    reference: 'https://platform.openai.com/docs/api-reference/chat-streaming/streaming',
    text: [
      'choices[].delta.content',
      'choices[].delta.refusal',
      'choices[].delta.tool_calls[].function.arguments',
      'choices[].delta.tool_calls[].custom.input',
      'choices[].delta.function_call.arguments',
      'choices[].delta.audio.transcript',
    ],
    index: ['choices[].index', 'choices[].delta.tool_calls[].index'],
    // of completions too
    spelling: ['choices[].logprobs'],
  },
  {
    // vLLM, SGLang, DeepSeek, LM Studio: `reasoning_content`; OpenRouter, Groq and newer vLLM: `reasoning`
    name: 'OpenAI-compatible services',
    reference: 'https://docs.vllm.ai/en/latest/features/reasoning_outputs.html',
    text: [
      'choices[].delta.reasoning_content',
      'choices[].delta.reasoning',
      'choices[].delta.reasoning_details[].text',
      'choices[].delta.reasoning_details[].summary',
    ],
    index: ['choices[].delta.reasoning_details[].index'],
  },
  {
    name: 'OpenAI completions',
    reference: 'https://platform.openai.com/docs/api-reference/completions/object',
    text: ['choices[].text'],
  },
  {
    // every `response.*.delta` event, and the Realtime API's; their `type` tells a transcript from its audio
    name: 'OpenAI Responses',
    reference: 'https://platform.openai.com/docs/api-reference/responses-streaming',
    text: ['delta', 'delta.stdout', 'delta.stderr'],
    index: ['output_index', 'content_index', 'summary_index', 'command_index'],
    kind: ['type'],
    // of Ollama too
    spelling: [
      'logprobs',
      'part.logprobs',
      'item.content[].logprobs',
      'response.output[].content[].logprobs',
    ],
    spelling_first: ['output[].content[].logprobs'],
    sealed: [
      'input[].encrypted_content',
      'output[].encrypted_content',
      'item.encrypted_content',
      'response.output[].encrypted_content',
    ],
  },
]

const others: readonly ProviderShape[] = [
  {
    name: 'Anthropic messages',
    reference: 'https://docs.claude.com/en/docs/build-with-claude/streaming',
    text: ['delta.text', 'delta.partial_json', 'delta.thinking'],
    index: ['index'],
    kept: ['messages[].content[].thinking'],
    sealed: [
      'messages[].content[].signature',
      'messages[].content[].data',
      'content[].signature',
      'content[].data',
      'content_block.signature',
      'content_block.data',
      'delta.signature',
    ],
  },
  {
    name: 'Anthropic text completions',
    reference: 'https://docs.claude.com/en/api/complete',
    text: ['completion'],
  },
  {
    // Vertex AI streams arguments as `partialArgs`; the Gemini API sends them whole
    name: 'Gemini',
    reference: 'https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse',
    text: [
      'candidates[].content.parts[].text',
      'candidates[].content.parts[].executableCode.code',
      'candidates[].content.parts[].codeExecutionResult.output',
      'candidates[].content.parts[].functionCall.partialArgs[].stringValue',
    ],
    index: ['candidates[].index'],
    spelling: ['candidates[].logprobsResult'],
    sealed: ['contents[].parts[].thoughtSignature', 'candidates[].content.parts[].thoughtSignature'],
    kind: ['candidates[].content.parts[].functionCall.partialArgs[].jsonPath'],
  },
  {
    name: 'Ollama',
    reference: 'https://github.com/ollama/ollama/blob/main/docs/api.md',
    text: ['message.content', 'message.thinking', 'response', 'thinking'],
  },
  {
    name: 'Text Generation Inference',
    reference: 'https://huggingface.github.io/text-generation-inference/',
    text: [],
    counted_text: ['token.text'],
  },
  {
    name: 'Cohere chat',
    reference: 'https://docs.cohere.com/docs/streaming',
    text: [
      'delta.message.content.text',
      'delta.message.content.thinking',
      'delta.message.tool_plan',
      'delta.message.tool_calls.function.arguments',
    ],
  },
  {
    name: 'Mistral chat',
    reference: 'https://docs.mistral.ai/capabilities/reasoning/',
    text: ['choices[].delta.content[].text', 'choices[].delta.content[].thinking[].text'],
  },
  {
    // as AWS's SDKs show the events, and as gateways pass them on; AWS itself frames them in binary
    name: 'Bedrock Converse',
    reference: 'https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html',
    text: [
      'contentBlockDelta.delta.text',
      'contentBlockDelta.delta.toolUse.input',
      'contentBlockDelta.delta.reasoningContent.text',
    ],
    index: ['contentBlockDelta.contentBlockIndex'],
  },
  {
    // vLLM's and llama.cpp's own endpoints, and services that somebody wrote in an afternoon
    name: 'any service',
    reference: 'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md',
    text: [],
    counted_text: ['text', 'content', 'token', 'output', 'answer', 'chunk', 'result'],
  },
]

/** What is known of services' streams. Whole bodies need no shape: every string in them is scanned. */
export const providers: readonly ProviderShape[] = [...openai, ...others]
