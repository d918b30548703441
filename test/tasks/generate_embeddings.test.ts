/** Vectors of templates are made once, anew where a text changed, and searched; offline, and with a provider that fails. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { offlineModel } from "../../src/analytics/Embeddings.ts"
import { ProjectId } from "../../src/domain/Ids.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import { Embeddings } from "../../src/store/Embeddings.ts"
import { Projects } from "../../src/store/Projects.ts"
import { Templates } from "../../src/store/Templates.ts"
import { Embedder } from "../../src/tasks/logs/Embedder.ts"
import { GenerateEmbeddings, GenerateEmbeddingsLive } from "../../src/tasks/logs/generate_embeddings.ts"
import { SemanticSearch } from "../../src/tasks/logs/SemanticSearch.ts"
import { TestEngine } from "../../src/testing.ts"
import { type EmbeddingsServer, startEmbeddingsServer } from "../support/embeddings_server.ts"
import { storeLayer } from "../support/postgres.ts"

let server: EmbeddingsServer
beforeAll(async () => {
  server = await startEmbeddingsServer()
})
afterAll(() => server.stop())

const texts = [
  "Failed password for <*> from <*> port <*>",
  "ServerFileSystem domain <*> is full",
  "Lost connection to <*> after <*> ms",
  "Task <*> completed in <*> ms",
  "user <*> has password hunter2 in <*>"
]
const template = (id: number, text: string) => ({ id, text, shape: `s${id}`, sample: text })

const withProvider = (model: string | undefined) => {
  const embedder = Layer.unwrap(
    Effect.sync(() => Embedder.layer(model === undefined ? undefined : { url: server.url, model }))
  )
  return Layer.mergeAll(GenerateEmbeddingsLive, SemanticSearch.layer).pipe(
    Layer.provideMerge(Layer.mergeAll(Layer.fresh(TestEngine.layer), embedder, storeLayer()))
  )
}

const run = Effect.fnUntraced(function* (projectId: ProjectId) {
  const engine = yield* Engine
  const test = yield* TestEngine
  const id = yield* GenerateEmbeddings.enqueue({ projectId })
  yield* test.drain
  return yield* engine.await(id)
})

const newProject = Effect.gen(function* () {
  const { id } = yield* (yield* Projects).create({ name: "Shop" })
  yield* (yield* Templates).save(
    id,
    texts.map((text, i) => template(i + 1, text)),
    1_000
  )
  return id
})

const find = Effect.fnUntraced(function* (project: ProjectId, question: string) {
  const answer = yield* (yield* SemanticSearch).search({ project, question, limit: 3 })
  return { ...answer, first: answer.found[0]?.template.text }
})

describe("generate_embeddings offline", () => {
  it.effect("makes what is new or changed, keeps the rest, forgets what is gone", () =>
    Effect.gen(function* () {
      const project = yield* newProject
      const templates = yield* Templates
      const store = yield* Embeddings
      assert.deepStrictEqual(yield* run(project), { embedded: 5, kept: 0, left: 0, provider: "offline" })
      assert.deepStrictEqual(yield* run(project), { embedded: 0, kept: 5, left: 0, provider: "offline" })
      const before = yield* store.list(project, offlineModel)
      yield* templates.save(project, [template(2, "ServerFileSystem <*> is full"), template(9, "new one")], 2_000)
      assert.deepStrictEqual(yield* run(project), { embedded: 2, kept: 4, left: 0, provider: "offline" })
      const after = yield* store.list(project, offlineModel)
      const of = (list: typeof before, id: number) => list.find((one) => one.template === id)?.vector
      assert.deepStrictEqual(of(after, 1), of(before, 1))
      assert.notDeepEqual(of(after, 2), of(before, 2))
      // One that was taken in by another is no template of its own any more.
      yield* templates.save(project, [{ ...template(9, "new one"), alias: 1 }], 3_000)
      assert.deepStrictEqual(yield* run(project), { embedded: 0, kept: 5, left: 0, provider: "offline" })
      assert.strictEqual((yield* store.digests(project, offlineModel)).size, 5)
    }).pipe(Effect.provide(withProvider(undefined)))
  )

  it.effect("is not needed for an answer, and is asked for by one", () =>
    Effect.gen(function* () {
      const project = yield* newProject
      const store = yield* Embeddings
      const answer = yield* find(project, "hard drive has no space left")
      assert.strictEqual(answer.first, "ServerFileSystem domain <*> is full")
      assert.deepInclude(answer, { provider: "offline", degraded: false, reason: null, searched: 5 })
      assert.isTrue((answer.found[0]?.why.length ?? 0) > 0)
      yield* (yield* TestEngine).drain
      assert.strictEqual((yield* store.digests(project, offlineModel)).size, 5)
      assert.deepStrictEqual((yield* find(ProjectId.make("nobody"), "disk full")).found, [])
    }).pipe(Effect.provide(withProvider(undefined)))
  )
})

describe("generate_embeddings with a provider", () => {
  it.effect("sends redacted texts once, and searches with its vectors", () =>
    Effect.gen(function* () {
      server.fate = "ok"
      server.heard.length = 0
      const project = yield* newProject
      const stale = yield* find(project, "disk full")
      assert.deepInclude(stale, { provider: "offline", degraded: true })
      yield* (yield* TestEngine).drain
      assert.deepStrictEqual(yield* run(project), { embedded: 0, kept: 5, left: 0, provider: "small" })
      assert.strictEqual(server.heard.length, 1)
      assert.strictEqual(server.heard[0]?.input.length, 5)
    }).pipe(Effect.provide(withProvider("small")))
  )

  it.live("answers offline and says so while the provider fails, and comes back to it", () =>
    Effect.gen(function* () {
      server.fate = "ok"
      const project = yield* newProject
      yield* run(project)
      const good = yield* find(project, "my password=hunter2secret was refused")
      assert.deepInclude(good, { provider: "small", degraded: false, reason: null })
      assert.notInclude(JSON.stringify(server.heard), "hunter2secret")
      server.fate = "rate limited"
      const bad = yield* find(project, "hard drive has no space left")
      assert.deepInclude(bad, { provider: "offline", degraded: true, first: texts[1] })
      assert.include(bad.reason, "429")
      const calls = server.heard.length
      const resting = yield* find(project, "hard drive has no space left")
      assert.deepInclude(resting, { provider: "offline", degraded: true, first: texts[1] })
      assert.strictEqual(server.heard.length, calls)
    }).pipe(Effect.provide(withProvider("small")))
  )

  it.effect("fails with what the engine needs to know for trying again, and loses nothing", () =>
    Effect.gen(function* () {
      const projectId = yield* newProject
      const test = yield* TestEngine
      const failure = Effect.flip(test.run(GenerateEmbeddings, { projectId }))
      server.fate = "rate limited"
      assert.deepInclude(yield* failure, { _tag: "EmbeddingsFailed", retryable: true, retryAfterMs: 7_000 })
      server.fate = "down"
      assert.deepInclude(yield* failure, { _tag: "EmbeddingsFailed", retryable: true })
      server.fate = "unauthorized"
      assert.deepInclude(yield* failure, { _tag: "EmbeddingsFailed", retryable: false })
      server.fate = "ok"
      assert.deepStrictEqual(yield* run(projectId), { embedded: 5, kept: 0, left: 0, provider: "small" })
    }).pipe(Effect.provide(withProvider("small")))
  )

  it.effect("makes all anew when vectors of another size come under the old name", () =>
    Effect.gen(function* () {
      server.fate = "ok"
      const project = yield* newProject
      yield* run(project)
      server.dims = 48
      yield* (yield* Templates).save(project, [template(7, "one more")], 4_000)
      assert.deepStrictEqual(yield* run(project), { embedded: 6, kept: 0, left: 0, provider: "small" })
      const sizes = [...(yield* (yield* Embeddings).digests(project, "small")).values()].map(({ dims }) => dims)
      assert.deepStrictEqual(sizes, [48, 48, 48, 48, 48, 48])
    }).pipe(Effect.ensuring(Effect.sync(() => (server.dims = 32))), Effect.provide(withProvider("small")))
  )
})
