/**
 * Fetches one connection's new lines into the pipeline, each exactly once. A page goes three steps: its lines and the cursor
 * behind them are kept in one transaction (store/Connections.keep); the lines are put on the stream under the page's own key;
 * the page is forgotten. Why that is enough:
 *
 * - The source hands out no event twice along a chain of cursors, and a kept page extends the chain: whoever keeps shows the
 *   version it has read, so of two pollers one is refused and has changed nothing.
 * - Only kept pages reach the stream. After a crash in between, the next poll finds the page and submits the same lines under
 *   the same key; the stream (for a day) and the store (for ever) know the batches of a key and take each once.
 * - A crash before the page was kept leaves the cursor where it was: the events are fetched again.
 *
 * Pages without news are not kept, since reading them again adds nothing.
 */
import { Clock, Effect, Schema } from "effect"
import { ConnectionId } from "../../domain/Ids.ts"
import * as SentEvent from "../../domain/SentEvent.ts"
import { sources } from "../../ingest/all.ts"
import { AllowPrivate, type Polled, type Source, type SourceError } from "../../ingest/Source.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { Intake } from "../../pipeline/Intake.ts"
import { Connections, type KeptPage, type OpenConnection } from "../../store/Connections.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"

export const PollCloudLogs = Task.make("poll_cloud_logs", {
  payload: { connectionId: ConnectionId },
  result: Schema.Struct({ lines: Schema.Int, error: Schema.NullOr(Schema.String) }),
  error: DependencyFailed,
  timeout: "5 minutes",
  retry: Retry.exponential({ attempts: 5, base: "5 seconds", cap: "1 minute" }),
  unique: ({ connectionId }) => connectionId
})

/** Pages of one job at most; the next job goes on. */
const pagesMax = 200
/** No page is begun after this long, ms. */
const busyMaxMs = 60_000
/** Pages without news after which where we are is kept all the same, so that a long search is not begun anew. */
const quietMax = 20
/** Events of one page at most. */
const eventsMax = 10_000
/** How often a throttled page is asked for again within a job, and for how long it is waited at most, ms. */
const throttledMax = 3
const throttledWaitMaxMs = 10_000

const second = 1_000
const firstWaitMs = 30 * second
/** Where only a person can help there is no haste. */
const firstWaitHopelessMs = 5 * 60 * second
const waitMaxMs = 60 * 60 * second

/** How long a connection is left alone after its n-th failure in a row (from 1), ms. Pure. */
export const waitAfter = (failures: number, error: Pick<SourceError, "retryable" | "retryAfterMs">): number => {
  const first = error.retryable ? firstWaitMs : firstWaitHopelessMs
  const wait = Math.min(waitMaxMs, first * 2 ** Math.min(20, Math.max(0, failures - 1)))
  return Math.max(wait, error.retryAfterMs ?? 0)
}

const polled = (source: Source, open: OpenConnection, cursor: string | null, allowPrivate: boolean) =>
  Effect.gen(function* () {
    for (let tries = 0; ; tries++) {
      const now = yield* Clock.currentTimeMillis
      const limits = { events: eventsMax, allowPrivate }
      const ask = { config: open.connection.config, secrets: open.secrets, cursor, now, limits }
      const result = yield* Effect.result(source.poll(ask))
      if (result._tag === "Success") return result.success
      const error = result.failure
      const wait = error.retryAfterMs ?? second * 2 ** tries
      if (error.fault !== "throttled" || tries === throttledMax || wait > throttledWaitMaxMs) return yield* error
      yield* Effect.sleep(wait)
    }
  })

const linesOf = ({ events }: Polled): ReadonlyArray<string> => events.map(({ event }) => SentEvent.encode(event))

/** One poll of a connection. Exported for tests. */
export const poller = Effect.gen(function* () {
  const connections = yield* Connections
  const intake = yield* Intake
  const allowPrivate = yield* AllowPrivate

  const submit = Effect.fnUntraced(function* (open: OpenConnection, page: KeptPage) {
    const { id, project } = open.connection
    yield* intake.submit(project, page.lines, { key: page.key, format: SentEvent.format }).pipe(
      Effect.catchTags({
        LogStreamFull: () => Task.snooze("5 seconds"),
        RedisError: (error) => Effect.fail(dependencyFailed(error))
      })
    )
    yield* Effect.mapError(connections.settle(id, page.key), dependencyFailed)
  })

  const failed = Effect.fnUntraced(function* (open: OpenConnection, error: SourceError, first: boolean) {
    const now = yield* Clock.currentTimeMillis
    const failures = (first ? open.connection.failures : 0) + 1
    const { id } = open.connection
    yield* Effect.logWarning("a connection could not be polled").pipe(
      Effect.annotateLogs({ connection: id, fault: error.fault, reason: error.message })
    )
    yield* Effect.mapError(connections.saveError(id, error.message, now + waitAfter(failures, error)), dependencyFailed)
  })

  return Effect.fn("PollCloudLogs")(function* ({ connectionId }) {
    const open = yield* Effect.mapError(connections.open(connectionId), dependencyFailed)
    if (open === undefined || !open.connection.active) return yield* Task.cancel("the connection is gone or paused")
    if (open.page !== undefined) yield* submit(open, open.page)
    const source = sources[open.connection.kind]
    const began = yield* Clock.currentTimeMillis
    let { cursor, version } = open
    let lines = 0
    let quiet = 0
    for (let pages = 0; pages < pagesMax; pages++) {
      const result = yield* Effect.result(polled(source, open, cursor, allowPrivate))
      if (result._tag === "Failure") {
        yield* failed(open, result.failure, version === open.version)
        return { lines, error: result.failure.message }
      }
      const page = result.success
      cursor = page.cursor
      const late = (yield* Clock.currentTimeMillis) - began > busyMaxMs || pages === pagesMax - 1
      const ends = !page.more || late
      quiet = page.events.length === 0 ? quiet + 1 : 0
      if (page.events.length > 0 || quiet >= quietMax || ends) {
        quiet = 0
        const wanted = { cursor, lines: linesOf(page), lagMs: page.lagMs }
        const kept = yield* Effect.mapError(connections.keep(connectionId, version, wanted), dependencyFailed)
        // Another poller went on, or the settings were changed: what was fetched here is theirs to fetch.
        if (kept === undefined) break
        version = kept.version
        if (kept.page.lines.length > 0) yield* submit(open, kept.page)
        lines += kept.page.lines.length
      }
      if (ends) break
    }
    return { lines, error: null }
  })
})

export const PollCloudLogsLive = PollCloudLogs.toLayer(poller)
