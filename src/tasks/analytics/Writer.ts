/** The language model that words insights, where one is set; without one they keep the words of statistics. */
import { Context, type Effect, Layer } from "effect"
import type { ChannelError } from "../../notify/Channel.ts"
import { complete, type LlmEndpoint, type LlmQuestion } from "../../notify/Llm.ts"

export class Writer extends Context.Service<
  Writer,
  {
    readonly ask: ((question: LlmQuestion) => Effect.Effect<string, ChannelError>) | undefined
    /** Questions that a project may ask within 24 hours. */
    readonly perDay: number
  }
>()("loglytics/tasks/Writer") {
  static readonly layer = (endpoint: LlmEndpoint | undefined, perDay = 50) =>
    Layer.succeed(Writer, { ask: endpoint && ((question) => complete(endpoint, question)), perDay })
}
