/**
 * The templates of every project whose lines pass through this process. Promises that marking a line never waits for a
 * store that is away, and that `keep`, done before lines are stored, makes every template known that they carry: so no line
 * names one that the store does not have. Ids are hashes, so processes that learn apart mostly agree, and what differs is
 * joined when one hears of the other's. Finding templates is left to parse/templates.
 */
import { Clock, Context, Deferred, Effect, Layer, Option, Schedule, Schema, type Scope, Semaphore } from "effect"
import { ProjectId } from "../domain/Ids.ts"
import type { LogEvent } from "../domain/LogEvent.ts"
import { bodyOf } from "../parse/templates/Header.ts"
import { Miner } from "../parse/templates/Miner.ts"
import type { StoreError } from "../store/Database.ts"
import { countedAt, Templates } from "../store/Templates.ts"

/** Projects whose templates are held in memory; those that lines came for least recently go first. */
const projectsMax = 200
/** About how many bytes the templates of all projects may take. */
const weightMax = 256_000_000
/** Templates of one project in memory. */
const templatesMax = 10_000
/** How long the first lines of a project wait for its templates, ms. */
const patienceMs = 500
/** After so long a project's templates are read anew, so that none is used that the store may have forgotten, ms. */
const renewMs = 86_400_000
/** Templates that were not seen for longer are not read, ms; `calculate_log_patterns` keeps them longer. */
const seenMs = 60 * 86_400_000
/** How often a project's templates of other processes are asked for, ms. */
const learnMs = 60_000

interface Book {
  readonly project: ProjectId
  readonly miner: Miner
  /** One at a time: a second keeper must not pass while the first has not got through. */
  readonly keeping: Semaphore.Semaphore
  readonly loaded: Deferred.Deferred<void>
  /** While templates wait to be kept: when the first line of each that was met was written, epoch ms. */
  readonly firsts: Map<number, number>
  /** Where `changedSince` goes on; undefined before the first load. */
  cursor: string | undefined
  readonly openedAt: number
  /** Whether what was found is on its way to the store. */
  saving: boolean
  /** When others' templates were asked for last. */
  learnedAt: number
}

/** Whether nothing would be lost with the book. */
const isIdle = ({ miner, saving }: Book): boolean => !miner.changed && !saving

const tidy = ({ firsts, miner }: Book): void => {
  if (!miner.changed) firsts.clear()
}

const backoff = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("5 seconds")]).pipe(Schedule.jittered)

const decodeProject = Schema.decodeOption(ProjectId)

export class TemplateBook extends Context.Service<
  TemplateBook,
  {
    /** The events with the ids of their templates. `events` of a project that is none come back as they are. */
    readonly mark: (project: string, events: ReadonlyArray<LogEvent>) => Effect.Effect<ReadonlyArray<LogEvent>>
    /** Keeps what was found since; to be done before the lines are stored. */
    readonly keep: (projects: Iterable<string>) => Effect.Effect<void, StoreError>
  }
>()("loglytics/pipeline/TemplateBook") {
  static readonly layer = Layer.effect(
    TemplateBook,
    Effect.gen(function* () {
      return make(yield* Templates, yield* Effect.scope)
    })
  )
}

function make(templates: Templates["Service"], scope: Scope.Scope): TemplateBook["Service"] {
  /** By project, those used last at the end. */
  const books = new Map<string, Book>()

  /** Tries until the store answers; then ours and the store's become one. */
  const load = (book: Book) =>
    templates.load(book.project, { max: templatesMax, since: book.openedAt - seenMs }).pipe(
      Effect.tapError((error) => Effect.logWarning("templates can't be read now", error.message)),
      Effect.retry(backoff),
      Effect.tap(({ cursor, templates: kept }) =>
        Effect.sync(() => {
          for (const one of kept) book.miner.adopt(one)
          book.cursor = cursor
        })
      ),
      Effect.ignore,
      Effect.andThen(Deferred.succeed(book.loaded, undefined))
    )

  const learn = (book: Book, cursor: string) =>
    Effect.map(templates.changedSince(book.project, cursor), (found) => {
      for (const one of found.templates) book.miner.adopt(one)
      book.cursor = found.cursor
    }).pipe(Effect.catch((error) => Effect.logWarning("others' templates can't be read now", error.message)))

  /** Lets go of the books used least recently that have nothing left to keep, as long as there are too many. */
  const makeRoom = (): void => {
    let weight = 0
    for (const { miner } of books.values()) weight += miner.weight
    for (const [project, book] of books) {
      if (books.size < projectsMax && weight <= weightMax) return
      if (!isIdle(book)) continue
      weight -= book.miner.weight
      books.delete(project)
    }
  }

  const open = Effect.fnUntraced(function* (project: ProjectId, now: number) {
    makeRoom()
    const book: Book = {
      project,
      miner: new Miner({ templatesMax }),
      keeping: yield* Semaphore.make(1),
      loaded: yield* Deferred.make<void>(),
      firsts: new Map(),
      cursor: undefined,
      openedAt: now,
      saving: false,
      learnedAt: now
    }
    books.set(project, book)
    yield* Effect.forkIn(load(book), scope)
    return book
  })

  const bookOf = Effect.fnUntraced(function* (project: string) {
    const now = yield* Clock.currentTimeMillis
    const known = books.get(project)
    const stale = known !== undefined && now - known.openedAt >= renewMs && isIdle(known)
    if (known !== undefined && !stale) {
      books.delete(project)
      books.set(project, known)
      if (known.cursor !== undefined && now - known.learnedAt >= learnMs) {
        known.learnedAt = now
        yield* Effect.forkIn(learn(known, known.cursor), scope)
      }
      return known
    }
    // With so many projects that wait to be kept, the store is away: their lines go on without.
    if (books.size >= 4 * projectsMax) return undefined
    const id = decodeProject(project)
    if (Option.isNone(id)) return undefined
    const book = yield* open(id.value, now)
    yield* Effect.timeoutOption(Deferred.await(book.loaded), patienceMs)
    return book
  })

  const keepOne = (book: Book) =>
    book.keeping.withPermit(
      Effect.gen(function* () {
        if (!book.miner.changed) return
        const now = yield* Clock.currentTimeMillis
        book.saving = true
        const changed = book.miner.takeChanged().map((one) => ({ ...one, firstSeen: book.firsts.get(one.id) }))
        yield* templates.save(book.project, changed, now).pipe(
          Effect.tap(() => Effect.sync(() => tidy(book))),
          Effect.onError(() => Effect.sync(() => book.miner.changedAgain())),
          Effect.ensuring(Effect.sync(() => (book.saving = false))),
          // What Postgres will never take must not hold up the lines.
          Effect.catch((error) => {
            if (error.retryable) return Effect.fail(error)
            book.miner.takeChanged()
            return Effect.logError(`templates of project ${book.project} can't be kept`, error.message)
          })
        )
      })
    )

  return TemplateBook.of({
    mark: Effect.fnUntraced(function* (project, events) {
      if (events.length === 0) return events
      const book = yield* bookOf(project)
      if (book === undefined) return events
      const now = yield* Clock.currentTimeMillis
      const marked = events.map((event) => {
        const template = book.miner.learn(bodyOf(event))
        if (template === 0) return event
        const first = book.firsts.get(template)
        const at = countedAt(event.time, now)
        if (first === undefined || at < first) book.firsts.set(template, at)
        return { ...event, template }
      })
      tidy(book)
      return marked
    }),
    keep: (projects) =>
      Effect.forEach(
        new Set(projects),
        (project) => {
          const book = books.get(project)
          return book === undefined ? Effect.void : keepOne(book)
        },
        { discard: true }
      )
  })
}
