/**
 * Makes the vectors of a project's templates, of those only that are new or changed, and forgets those of templates that are
 * gone. The ones made here always; the provider's too where one is set, in batches that are kept one by one, so that a
 * repeated run goes on where the last one failed, and up to a budget per run.
 */
import { Effect, Schema } from "effect"
import { createHash } from "node:crypto"
import { embed, offlineModel } from "../../analytics/Embeddings.ts"
import { ProjectId } from "../../domain/Ids.ts"
import { batchMax } from "../../ingest/EmbeddingProvider.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { redactText } from "../../parse/Redact.ts"
import { Embeddings, type TemplateText } from "../../store/Embeddings.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { Embedder, type Provider } from "./Embedder.ts"

/** The provider of vectors refused or answered with something else; tried again while `retryable`. */
export class EmbeddingsFailed extends Schema.TaggedError<EmbeddingsFailed>()("EmbeddingsFailed", {
  reason: Schema.String,
  retryable: Schema.Boolean,
  /** How long the provider asked to be left alone. */
  retryAfterMs: Schema.optionalKey(Schema.Natural)
}) {
  override get message(): string {
    return this.reason
  }
}

export const GenerateEmbeddings = Task.make("generate_embeddings", {
  payload: { projectId: ProjectId },
  result: Schema.Struct({
    /** Vectors made in this run, and those that were there and still fit. */
    embedded: Schema.Natural,
    kept: Schema.Natural,
    /** Templates that wait for the next run, since the budget of this one was spent. */
    left: Schema.Natural,
    /** "offline", or the model of the provider. */
    provider: Schema.String
  }),
  error: Schema.Union([EmbeddingsFailed, DependencyFailed]),
  timeout: "15 minutes",
  retry: Retry.exponential({ attempts: 5, base: "5 seconds", cap: "5 minutes" }),
  unique: ({ projectId }) => projectId
})

/** Templates of a project that have vectors: those seen last. */
export const templatesMax = 20_000
/** Texts that one run sends to the provider. */
const budget = 5_000
/** Time for one batch, ms. */
const batchMs = 30_000
/** Texts between two yields. */
const slice = 100

/** What a vector was made of, in few characters. */
export const digestOf = (text: string): string => createHash("sha256").update(text).digest("base64url").slice(0, 22)

export const GenerateEmbeddingsLive = GenerateEmbeddings.toLayer(
  Effect.gen(function* () {
    const store = yield* Embeddings
    const { provider } = yield* Embedder
    const kept = <A, E extends { readonly message: string }>(effect: Effect.Effect<A, E>) =>
      Effect.mapError(effect, dependencyFailed)

    const offline = Effect.fnUntraced(function* (project: ProjectId, templates: ReadonlyArray<TemplateText>) {
      const known = yield* kept(store.digests(project, offlineModel))
      const wanted = templates.filter(({ id, text }) => known.get(id)?.digest !== digestOf(text))
      for (let at = 0; at < wanted.length; at += slice) {
        const some = wanted.slice(at, at + slice)
        yield* kept(
          store.save(
            project,
            offlineModel,
            some.map(({ id, text }) => ({ template: id, digest: digestOf(text), vector: embed(text) }))
          )
        )
        yield* Effect.yieldNow
      }
      return { embedded: wanted.length, kept: templates.length - wanted.length, left: 0, provider: "offline" }
    })

    const provided = Effect.fnUntraced(function* (
      project: ProjectId,
      templates: ReadonlyArray<TemplateText>,
      { embed: ask, model }: Provider
    ) {
      const known = yield* kept(store.digests(project, model))
      let wanted = templates.filter(({ id, text }) => known.get(id)?.digest !== digestOf(text))
      let embedded = 0
      let dims = [...known.values()][0]?.dims
      while (embedded < wanted.length && embedded < budget) {
        const some = wanted.slice(embedded, embedded + Math.min(batchMax, budget - embedded))
        const vectors = yield* ask(
          some.map(({ text }) => redactText(text)),
          batchMs
        ).pipe(
          Effect.mapError(
            ({ message, retryable, retryAfterMs }) =>
              new EmbeddingsFailed({
                reason: message,
                retryable,
                ...(retryAfterMs === undefined ? {} : { retryAfterMs: Math.ceil(retryAfterMs) })
              })
          )
        )
        if (dims !== undefined && vectors[0]!.length !== dims) {
          // Another model answers under the old name: what it has not made can't be compared with what it makes.
          yield* kept(store.forget(project, model))
          const asked = new Set(some.map(({ id }) => id))
          if (embedded === 0) wanted = [...some, ...templates.filter(({ id }) => !asked.has(id))]
          else
            return yield* new EmbeddingsFailed({
              reason: `expected ${dims} numbers as in the last batch, got ${vectors[0]!.length}`,
              retryable: true
            })
        }
        dims = vectors[0]!.length
        yield* kept(
          store.save(
            project,
            model,
            some.map(({ id, text }, i) => ({ template: id, digest: digestOf(text), vector: vectors[i]! }))
          )
        )
        embedded += some.length
      }
      return { embedded, kept: templates.length - wanted.length, left: wanted.length - embedded, provider: model }
    })

    return Effect.fn("GenerateEmbeddings")(function* ({ projectId }) {
      const templates = yield* kept(store.templates(projectId, templatesMax))
      yield* kept(
        store.prune(projectId, {
          models: provider === undefined ? [offlineModel] : [offlineModel, provider.model],
          templates: templates.map(({ id }) => id)
        })
      )
      const made = yield* offline(projectId, templates)
      return provider === undefined ? made : yield* provided(projectId, templates, provider)
    })
  })
)
