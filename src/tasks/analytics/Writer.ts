/** The language model that words insights, where one is set; without one they keep the words of statistics. */
import { Context, type Effect, Layer } from "effect"
import type { ChannelError } from "../../notify/Channel.ts"
import { complete, type LlmEndpoint, type LlmQuestion } from "../../notify/Llm.ts"

export class Writer extends Context.Service<
  Writer,
  { readonly ask: ((question: LlmQuestion) => Effect.Effect<string, ChannelError>) | undefined }
>()("loglytics/tasks/Writer") {
  static readonly layer = (endpoint: LlmEndpoint | undefined) =>
    Layer.succeed(Writer, { ask: endpoint && ((question) => complete(endpoint, question)) })
}
