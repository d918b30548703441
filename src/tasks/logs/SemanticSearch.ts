/**
 * Finds a project's templates by meaning: words, meanings and vectors together. Promises an answer whenever Postgres answers:
 * where the provider of vectors fails or has not seen all templates, those made here take its place and the answer says so.
 * Keeps what it has read of a project for some seconds, of a bounded number of templates; asks for generate_embeddings where
 * vectors are missing, and leaves making them to it.
 */
import { Clock, Context, Effect, Layer, Semaphore } from "effect"
import { dimensions, embed, Matrix, offlineModel } from "../../analytics/Embeddings.ts"
import { type Nearness, type Reason, SemanticIndex } from "../../analytics/SemanticIndex.ts"
import { type Terms, termsOf } from "../../analytics/Terms.ts"
import type { ProjectId } from "../../domain/Ids.ts"
import { Engine } from "../../jobs/Engine.ts"
import { redactText } from "../../parse/Redact.ts"
import type { StoreError } from "../../store/Database.ts"
import { Embeddings, type Seen, type TemplateText, type Window } from "../../store/Embeddings.ts"
import { Embedder, type Provider } from "./Embedder.ts"
import { digestOf, GenerateEmbeddings, templatesMax } from "./generate_embeddings.ts"

export interface Found {
  readonly template: TemplateText
  readonly score: number
  readonly why: ReadonlyArray<Reason>
  /** Lines in the window; of all time without one. */
  readonly count: number
}
export interface Answer {
  /** "offline", or the model of the provider whose vectors were asked. */
  readonly provider: string
  /** A provider is set but was not asked, or not for all templates; `reason` says why. */
  readonly degraded: boolean
  readonly reason: string | null
  /** Templates that were searched. */
  readonly searched: number
  readonly found: ReadonlyArray<Found>
}
export interface SearchOptions {
  readonly project: ProjectId
  readonly question: string
  readonly limit: number
  /** Only templates that lines came of in this window. */
  readonly window?: Window
}

/** How long what was read of a project is taken for true, ms. */
const freshMs = 5_000
/** Bytes in memory, over all projects; the project asked longest ago goes first. */
const keptMax = 400_000_000
/** Bytes of a template beside its vectors, about. */
const templateBytes = 4_000
/** Time for the provider to make a question's vector, ms; how long it is left alone after it failed. */
const questionMs = 3_000
const restMs = 10_000
/** The shortest time between two requests for a project's missing vectors, ms. */
const demandMs = 15_000
/** Texts that are read between two yields. */
const slice = 100

interface Kept {
  readonly readAt: number
  readonly templates: ReadonlyArray<TemplateText>
  readonly terms: ReadonlyMap<string, Terms>
  readonly vectors: ReadonlyMap<string, Float32Array>
  readonly index: SemanticIndex
  readonly offline: Matrix
  readonly provided: Matrix | undefined
  /** Templates without a vector of the provider. */
  readonly stale: number
}

/** Makes something of each text, giving way to others every `slice` texts; what is known is taken over. */
const each = Effect.fnUntraced(function* <A>(
  texts: ReadonlyArray<string>,
  known: ReadonlyMap<string, A> | undefined,
  make: (text: string) => A
) {
  const out = new Map<string, A>()
  let made = 0
  for (const text of texts) {
    if (out.has(text)) continue
    const before = known?.get(text)
    out.set(text, before ?? make(text))
    if (before === undefined && ++made % slice === 0) yield* Effect.yieldNow
  }
  return out
})

const bytesOf = ({ provided, templates }: Kept): number =>
  templates.length * (templateBytes + 4 * (2 * dimensions + (provided?.dims ?? 0)))

/** Keeps `next` as the project asked last, and lets go of those asked longest ago while there are too many bytes. */
const remember = (all: Map<ProjectId, Kept>, project: ProjectId, next: Kept): void => {
  all.delete(project)
  all.set(project, next)
  let total = 0
  for (const kept of all.values()) total += bytesOf(kept)
  for (const [other, kept] of all) {
    if (total <= keptMax || other === project) break
    all.delete(other)
    total -= bytesOf(kept)
  }
}

/** Reads and keeps projects. */
const reader = (store: Embeddings["Service"], engine: Engine["Service"], provider: Provider | undefined) => {
  /** In the order in which they were asked, the last one last. */
  const all = new Map<ProjectId, Kept>()
  const demanded = new Map<ProjectId, number>()

  /** The stored vectors of a model beside the templates, where they are of the same text. */
  const storedOf = Effect.fnUntraced(function* (project: ProjectId, list: ReadonlyArray<TemplateText>, model: string) {
    const stored = new Map((yield* store.list(project, model)).map((one) => [one.template, one]))
    return list.map(({ id, text }) => {
      const one = stored.get(id)
      return one?.digest === digestOf(text) ? one.vector : undefined
    })
  })

  /** The provider's vectors; `before`, where the templates are the same, as long as no more of them have one. */
  const providedOf = Effect.fnUntraced(function* (
    project: ProjectId,
    list: ReadonlyArray<TemplateText>,
    before: Kept | undefined
  ) {
    if (provider === undefined || before?.stale === 0) return { provided: before?.provided, stale: 0 }
    if (before !== undefined) {
      const digests = yield* store.digests(project, provider.model)
      const missing = list.filter(({ id, text }) => digests.get(id)?.digest !== digestOf(text)).length
      if (missing === before.stale) return before
    }
    const vectors = yield* storedOf(project, list, provider.model)
    const dims = vectors.find((vector) => vector !== undefined)?.length
    const stale = vectors.filter((vector) => dims === undefined || vector?.length !== dims).length
    return { provided: dims === undefined ? undefined : new Matrix(vectors, dims), stale }
  })

  /** Asks for vectors that are missing, now and then; whether that works is not this search's concern. */
  const demand = Effect.fnUntraced(function* (project: ProjectId, now: number) {
    if (now - (demanded.get(project) ?? -Infinity) < demandMs) return
    demanded.delete(project)
    demanded.set(project, now)
    for (const oldest of demanded.keys()) if (demanded.size > 1_000) demanded.delete(oldest)
    yield* Effect.ignore(engine.enqueue(GenerateEmbeddings.job({ projectId: project })))
  })

  return Effect.fnUntraced(function* (project: ProjectId) {
    const before = all.get(project)
    const now = yield* Clock.currentTimeMillis
    if (before !== undefined && now - before.readAt < freshMs) {
      remember(all, project, before)
      return before
    }
    const templates = yield* store.templates(project, templatesMax)
    const texts = templates.map(({ text }) => text)
    const same = before?.templates.length === texts.length && before.templates.every(({ text }, i) => text === texts[i])
    const stored = same ? [] : yield* storedOf(project, templates, offlineModel)
    const ready = new Map(before?.vectors)
    for (const [i, vector] of stored.entries()) if (vector?.length === dimensions) ready.set(texts[i]!, vector)
    const vectors = same ? before.vectors : yield* each(texts, ready, embed)
    const terms = same ? before.terms : yield* each(texts, before?.terms, (text) => termsOf({ text }))
    const { provided, stale } = yield* providedOf(project, templates, same ? before : undefined)
    if (stale > 0 || stored.includes(undefined)) yield* demand(project, now)
    const next: Kept = {
      readAt: now,
      templates,
      terms,
      vectors,
      index: same ? before.index : new SemanticIndex(texts.map((text) => terms.get(text)!)),
      offline: same
        ? before.offline
        : new Matrix(
            texts.map((text) => vectors.get(text)),
            dimensions
          ),
      provided,
      stale
    }
    remember(all, project, next)
    return next
  })
}

/** The provider's nearness of each template, or why there is none. */
const asker = (provider: Provider | undefined) => {
  let restUntil = 0
  const none = (reason: string | null) => ({ nearness: undefined, reason })
  return Effect.fnUntraced(function* (one: Kept, question: string) {
    const now = yield* Clock.currentTimeMillis
    if (provider === undefined) return none(null)
    if (one.provided === undefined) return none("no template has a vector of it yet")
    if (now < restUntil) return none("it failed a moment ago and is left alone")
    const { provided } = one
    return yield* provider.embed([redactText(question)], questionMs).pipe(
      Effect.match({
        onSuccess: ([vector]) =>
          vector?.length === provided.dims
            ? { nearness: provided.nearness(vector), reason: null }
            : none(`expected a vector of ${provided.dims} numbers, got ${vector?.length ?? 0}`),
        onFailure: (error) => {
          restUntil = now + Math.max(restMs, error.retryAfterMs ?? 0)
          return none(error.message)
        }
      })
    )
  })
}

const make = Effect.gen(function* () {
  const store = yield* Embeddings
  const { provider } = yield* Embedder
  const read = reader(store, yield* Engine, provider)
  const ask = asker(provider)
  const reading = yield* Semaphore.make(1)

  return SemanticSearch.of({
    search: Effect.fn("SemanticSearch")(function* ({ limit, project, question, window }) {
      const one = yield* reading.withPermits(1)(read(project))
      const inWindow = window === undefined ? undefined : yield* store.counts(project, { window })
      const { nearness, reason } = yield* ask(one, question)
      const voices: Array<Nearness> = [one.offline.nearness(embed(question))]
      if (nearness !== undefined) voices.push(nearness)
      const wanted = inWindow && ((index: number) => inWindow.has(one.templates[index]!.id))
      const matches = one.index.search(question, limit, voices, wanted)
      const ids = matches.map(({ index }) => one.templates[index]!.id)
      const counts = inWindow ?? (ids.length === 0 ? new Map<number, Seen>() : yield* store.counts(project, { ids }))
      return {
        provider: nearness === undefined || provider === undefined ? "offline" : provider.model,
        degraded: provider !== undefined && (nearness === undefined || one.stale > 0),
        reason: reason ?? (one.stale > 0 ? `${one.stale} templates have no vector of it yet` : null),
        searched: one.templates.length,
        found: matches.map(({ index, score, why }) => {
          const template = one.templates[index]!
          const seen = counts.get(template.id)
          // Templates learn of their last line only now and then.
          const lastSeen = seen !== undefined && seen.lastAt > template.lastSeen ? seen.lastAt : template.lastSeen
          return { template: { ...template, lastSeen }, score, why, count: seen?.lines ?? 0 }
        })
      }
    })
  })
})

export class SemanticSearch extends Context.Service<
  SemanticSearch,
  {
    /** The best templates for a question, best first. */
    readonly search: (options: SearchOptions) => Effect.Effect<Answer, StoreError>
  }
>()("loglytics/tasks/SemanticSearch") {
  static readonly layer = Layer.effect(
    SemanticSearch,
    Effect.suspend(() => make)
  )
}
