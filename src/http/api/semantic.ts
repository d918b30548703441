/** Questions in plain words about what the logs say: which templates answer them. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Invalid } from "../Errors.ts"
import { Auth } from "./auth.ts"
import { Decoding, limit, projectErrors } from "./common.ts"

/** Something but blanks, at most 500 characters. */
const Question = Schema.String.check(Schema.isPattern(/\S/u), Schema.isMaxLength(500)).annotate({
  description: "what happened, in words: 1 to 500 characters"
})

export const SemanticMatch = Schema.Struct({
  /** Id of the template, as in `template:ID` of a search and in /v1/patterns/ID. */
  id: Schema.String,
  text: Schema.String,
  /** How well it answers; comparable within one answer only. */
  score: Schema.Finite,
  /** What of the question was found as what in the template, by which shared meaning (null: the word itself). */
  why: Schema.Array(
    Schema.Struct({ asked: Schema.String, found: Schema.String, concept: Schema.NullOr(Schema.String) })
  ),
  /** Lines that arrived in the whole hours of the range; of all time without one. */
  count: Schema.Natural,
  firstSeen: Schema.String,
  lastSeen: Schema.String,
  /** Up to three messages, newest first. */
  samples: Schema.Array(Schema.String)
}).annotate({ identifier: "SemanticMatch" })

export const SemanticAnswer = Schema.Struct({
  question: Schema.String,
  /** "offline", or the model of the provider whose vectors were asked. */
  provider: Schema.String,
  /** True where a provider is set and was not asked, or has not seen every template. */
  degraded: Schema.Boolean,
  /** Why it is degraded. */
  reason: Schema.NullOr(Schema.String),
  /** Templates that were searched. */
  searched: Schema.Natural,
  /** Best first. */
  templates: Schema.Array(SemanticMatch)
}).annotate({ identifier: "SemanticAnswer" })

export class SemanticGroup extends HttpApiGroup.make("semantic")
  .add(
    HttpApiEndpoint.post("search", "/search/semantic", {
      payload: Schema.Struct({
        question: Question,
        /** ISO 8601 or epoch ms; whole hours, inclusive. Without both: all time. */
        from: Schema.optionalKey(Schema.String),
        /** ISO 8601 or epoch ms; whole hours, exclusive. */
        to: Schema.optionalKey(Schema.String),
        limit: limit(50)
      }),
      success: SemanticAnswer,
      error: [...projectErrors, Invalid]
    }).annotate(OpenApi.Summary, "Find the patterns that answer a question asked in other words")
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1") {}
