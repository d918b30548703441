/**
 * One question to a language model, by OpenAI's `POST /chat/completions`, which many servers speak. Promises that it ends
 * within its time limit, that an error never tells the key, and that it says whether trying again can help. What is asked and
 * what of the answer is believed is left to analytics/Wording.
 */
import { Clock, Effect, Redacted, Schema } from "effect"
import { ChannelError, scrubbed } from "./Channel.ts"
import { accepted, AllowPrivate, type Answer, call, jsonOf } from "./Http.ts"

export interface LlmEndpoint {
  /** Such as `https://api.openai.com/v1`. Set by the operator, so it may be on this host. */
  readonly url: string
  readonly model: string
  readonly apiKey?: Redacted.Redacted | undefined
}

export interface LlmQuestion {
  readonly system: string
  readonly user: string
  /** Tokens of the answer, at most. */
  readonly maxTokens: number
  readonly timeoutMs: number
}

const Reply = Schema.Struct({
  choices: Schema.NonEmptyArray(Schema.Struct({ message: Schema.Struct({ content: Schema.NonEmptyString }) }))
})
const decode = Schema.decodeUnknownExit(Reply)

const detail = (answer: Answer): string | undefined => {
  const body = jsonOf(answer) as { error?: { message?: unknown } } | undefined
  return typeof body?.error?.message === "string" ? body.error.message.slice(0, 200) : undefined
}

/** The text of the answer. */
export const complete = (endpoint: LlmEndpoint, question: LlmQuestion): Effect.Effect<string, ChannelError> =>
  Effect.gen(function* () {
    const key = endpoint.apiKey === undefined ? "" : Redacted.value(endpoint.apiKey)
    const ask = Effect.gen(function* () {
      const answer = yield* call({
        channel: "llm",
        method: "POST",
        url: `${endpoint.url.replace(/\/+$/u, "")}/chat/completions`,
        headers: { "content-type": "application/json", ...(key === "" ? {} : { authorization: `Bearer ${key}` }) },
        body: JSON.stringify({
          model: endpoint.model,
          temperature: 0,
          max_tokens: question.maxTokens,
          response_format: { type: "json_object" },
          messages: [
            { role: "system", content: question.system },
            { role: "user", content: question.user }
          ]
        }),
        timeoutMs: question.timeoutMs
      })
      const good = yield* accepted("llm", answer, { now: yield* Clock.currentTimeMillis, detail })
      const reply = decode(jsonOf(good))
      if (reply._tag === "Failure") {
        const reason = "expected an answer with choices[0].message.content, got something else"
        return yield* new ChannelError({ channel: "llm", reason, retryable: false })
      }
      return reply.value.choices[0].message.content
    })
    return yield* Effect.mapError(ask, (error) => scrubbed(error, { key }))
  }).pipe(Effect.provideService(AllowPrivate, true))
