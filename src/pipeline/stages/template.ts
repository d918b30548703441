/**
 * Each line gets the id of its template. The front marks, without asking the store for anything it must have; the back
 * keeps what was found before it stores the lines, so that a stored line never names a template that is not known.
 */
import { Effect } from "effect"
import type { StoreError } from "../../store/Database.ts"
import type { Decoded, Stage, Work } from "../Stage.ts"
import { TemplateBook } from "../TemplateBook.ts"

/** Marks decoded entries one by one, letting other fibers run between two of them. */
export const mark = Effect.fnUntraced(function* (decoded: ReadonlyArray<Decoded>) {
  const book = yield* TemplateBook
  return yield* Effect.forEach(decoded, (one) =>
    one.events.length === 0
      ? Effect.succeed(one)
      : Effect.yieldNow.pipe(
          Effect.andThen(book.mark(one.entry.project, one.events)),
          Effect.map((events): Decoded => ({ ...one, events }))
        )
  )
})

/** To be run before the store stage; repeated until it gets through. */
export const keepTemplates: Stage<StoreError, TemplateBook> = {
  name: "templates",
  run: (work: Work) =>
    Effect.gen(function* () {
      const book = yield* TemplateBook
      yield* book.keep(work.decoded.filter(({ events }) => events.length > 0).map(({ entry }) => entry.project))
      return work
    })
}
