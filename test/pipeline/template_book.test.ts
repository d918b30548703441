/** Lines are marked whether the store answers or not, and no line goes on with a template that the store may never know. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import type { LogEvent } from "../../src/domain/LogEvent.ts"
import { ProjectId } from "../../src/domain/Ids.ts"
import { TemplateBook } from "../../src/pipeline/TemplateBook.ts"
import { Database } from "../../src/store/Database.ts"
import { Templates } from "../../src/store/Templates.ts"
import { event } from "../store/events.ts"
import { storeLayer } from "../support/postgres.ts"

const project = ProjectId.make("book")
const messages = (...users: ReadonlyArray<string>): ReadonlyArray<LogEvent> =>
  users.map((user) => event({ message: `session opened for user ${user} by root` }))
const many = ["ann", "bob", "cat", "dan", "eve"]
const idsOf = (events: ReadonlyArray<LogEvent>) => events.map(({ template }) => template)

/** A process of its own: its memory is its own, the store is shared. */
const inProcess = <A, E, R>(use: (book: TemplateBook["Service"]) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const templates = yield* Templates
    return yield* Effect.flatMap(TemplateBook, use).pipe(
      Effect.provide(Layer.fresh(TemplateBook.layer).pipe(Layer.provide(Layer.succeed(Templates, templates))))
    )
  })

const known = Effect.flatMap(Templates, (templates) => templates.changedSince(project, "-infinity")).pipe(
  Effect.map(({ templates }) => new Map(templates.map(({ alias, id }) => [id, alias ?? id])))
)

describe("the template book", () => {
  it.live(
    "keeps every template before its lines may be stored, and the next process goes on with the same ids",
    () =>
      Effect.gen(function* () {
        const first = yield* inProcess((book) =>
          Effect.gen(function* () {
            const marked = yield* book.mark(project, messages(...many))
            yield* book.keep([project])
            return idsOf(marked)
          })
        )
        const stored = yield* known
        for (const id of first) assert.isTrue(stored.has(id!))
        assert.strictEqual(new Set(first.map((id) => stored.get(id!))).size, 1)
        const second = yield* inProcess((book) => book.mark(project, messages("zoe", "bob")))
        assert.deepStrictEqual(new Set(idsOf(second)), new Set([first[0]]))
      }).pipe(Effect.provide(storeLayer())),
    30_000
  )

  it.live(
    "joins what two processes found apart",
    () =>
      Effect.gen(function* () {
        yield* inProcess((one) =>
          inProcess((two) =>
            Effect.gen(function* () {
              yield* one.mark(project, messages("ann", "bob"))
              yield* two.mark(project, messages("cat", "dan"))
              yield* one.keep([project])
              yield* two.keep([project])
            })
          )
        )
        yield* inProcess((three) => Effect.andThen(three.mark(project, messages("eve")), three.keep([project])))
        const stored = yield* known
        assert.strictEqual(stored.size, 4)
        assert.strictEqual(new Set(stored.values()).size, 1)
      }).pipe(Effect.provide(storeLayer())),
    30_000
  )

  it.live("two who keep at the same time both wait until it is done", () =>
    Effect.gen(function* () {
      yield* inProcess((book) =>
        Effect.gen(function* () {
          const marked = yield* book.mark(project, messages("ann"))
          yield* Effect.all(
            Array.from({ length: 4 }, () =>
              Effect.gen(function* () {
                yield* book.keep([project])
                assert.isTrue((yield* known).has(marked[0]!.template!))
              })
            ),
            { concurrency: "unbounded" }
          )
        })
      )
    }).pipe(Effect.provide(storeLayer()))
  )

  it.live(
    "marks lines while the store is away, and says that it could not keep",
    () =>
      Effect.gen(function* () {
        const book = yield* TemplateBook
        const marked = yield* book.mark(project, messages(...many))
        assert.strictEqual(marked.filter(({ template }) => template !== undefined).length, many.length)
        const error = yield* Effect.flip(book.keep([project]))
        assert.isTrue(error.retryable)
        // Nothing is lost of what was found: the next try has it again.
        assert.isTrue((yield* Effect.flip(book.keep([project]))).retryable)
        const other = yield* book.mark("not a project!", messages("ann"))
        assert.deepStrictEqual(idsOf(other), [undefined])
      }).pipe(
        Effect.provide(
          TemplateBook.layer.pipe(
            Layer.provide(Templates.layer),
            Layer.provide(Database.layer({ url: Redacted.make("postgres://nobody@127.0.0.1:1/nothing") }))
          )
        )
      ),
    30_000
  )
})
