/**
 * One fiber pair per partition of the log stream: takes the lease, then the front reads batches, decodes and judges them,
 * and the back keeps alerts and lines, publishes, and commits position and judge state together. Promises that a batch is
 * committed only when every stage is done with it, that alerts do not wait for a slow store, that a failing store stops the
 * commit and not the process, and that a batch which can never be stored is set aside with its reason.
 */
import { Clock, Context, Duration, Effect, Layer, Metric, Queue, Random, Schedule } from "effect"
import type { Alerts } from "../store/Alerts.ts"
import { StoreError } from "../store/Database.ts"
import type { Logs } from "../store/Logs.ts"
import type { ProjectSettings } from "../store/ProjectSettings.ts"
import type { Rules } from "../store/Rules.ts"
import type { Live } from "../streams/Live.ts"
import { type LogEntry, LogStream, type Ownership, type StateChanges } from "../streams/LogStream.ts"
import type { RedisError } from "../streams/Redis.ts"
import type { AlertSink, SinkError } from "./AlertSink.ts"
import * as Decoders from "./Decoders.ts"
import * as Judges from "./Judges.ts"
import * as PartitionShare from "./PartitionShare.ts"
import type { Stage, Work } from "./Stage.ts"
import { announce } from "./stages/announce.ts"
import { decode } from "./stages/decode.ts"
import { judge, publishVerdicts } from "./stages/judge.ts"
import { publish } from "./stages/publish.ts"
import { store } from "./stages/store.ts"
import { keepTemplates, mark } from "./stages/template.ts"
import type { TemplateBook } from "./TemplateBook.ts"

export interface PipelineConfig {
  /** Batches read and stored together. */
  readonly batchesPerTurn: number
  /** Turns that may be judged ahead of the store. */
  readonly turnsAhead: number
  /** How long a turn waits for batches before it lets time pass for the rules, ms. */
  readonly idleMs: number
  /** The lease of LogStreamConfig; a third of it passes between two renewals, ms. */
  readonly leaseMs: number
}

type Services = Logs | Rules | Alerts | Live | AlertSink | ProjectSettings | TemplateBook
type StageError = StoreError | RedisError | SinkError

const linesStored = Metric.counter("log_lines_stored_total", {
  description: "log lines that went through the pipeline",
  incremental: true
})
const linesBuried = Metric.counter("log_lines_buried_total", {
  description: "log lines set aside because they can't be stored",
  incremental: true
})

/** What a turn of the front hands to the back. */
interface Judged {
  readonly entries: ReadonlyArray<LogEntry>
  readonly work: Work
  /** The judges' state after these entries, as far as it changed. */
  readonly changes: StateChanges
}

const backoff = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")]).pipe(Schedule.jittered)

/** Whether trying again can't help: Postgres refuses the data itself. */
const hopeless = (error: StageError): error is StoreError => error instanceof StoreError && !error.retryable

/** Runs a stage that may be repeated until it is done; fails only where that can't help. */
const persist = (stage: Stage<StageError, Services>, work: Work): Effect.Effect<Work, StoreError, Services> =>
  stage.run(work).pipe(
    Effect.tapError((error) => Effect.logWarning(`pipeline stage ${stage.name} waits`, error.message)),
    Effect.retry({ schedule: backoff, while: (error) => !hopeless(error) }),
    Effect.catch((error) => (hopeless(error) ? Effect.fail(error) : Effect.die(error)))
  )

/** Reads what has come and judges it. No store is asked but for rules and settings that are not known yet. */
const front = (
  owned: Ownership,
  judges: Judges.Judges,
  decoders: Decoders.Decoders,
  config: PipelineConfig,
  out: Queue.Enqueue<Judged | undefined>
) =>
  Effect.gen(function* () {
    const entries = yield* owned.read(config.batchesPerTurn, config.idleMs)
    const judged = yield* judge(judges).run({ decoded: yield* mark(yield* decode(decoders, entries)), verdicts: [] })
    const due = judges.tick(yield* Clock.currentTimeMillis)
    if (due.length > 0) yield* publishVerdicts(due)
    const changes = judges.changes()
    if (entries.length === 0 && due.length === 0 && changes.size === 0) return
    yield* Queue.offer(out, { entries, work: { ...judged, verdicts: [...judged.verdicts, ...due] }, changes })
  })

/** Keeps alerts and lines, tells those who watch, and commits. */
const back = (owned: Ownership, { changes, entries, work }: Judged) =>
  Effect.gen(function* () {
    // What announce can't keep (its rule was removed meanwhile) must not hold up the lines.
    yield* persist(announce, work).pipe(
      Effect.catch((error) => Effect.logError("an alert can't be kept", error.message))
    )
    yield* Effect.orDie(persist(keepTemplates, work))
    yield* persist(publish, yield* storeOrBury(owned, work))
    yield* owned.commit(entries, changes)
    const lines = entries.reduce((sum, entry) => sum + entry.lines.length, 0)
    linesStored.updateUnsafe(lines, Context.empty())
  })

/** Stores all batches together; where Postgres refuses for good, one by one, and sets aside the one that is refused. */
const storeOrBury = (owned: Ownership, work: Work): Effect.Effect<Work, never, Services> =>
  persist(store, work).pipe(
    Effect.catch((error) =>
      Effect.gen(function* () {
        const [only] = work.decoded
        if (work.decoded.length === 1 && only !== undefined) {
          yield* Effect.logError(
            `log batch ${only.entry.id} of project ${only.entry.project} is set aside`,
            error.message
          )
          yield* owned.bury(only.entry, error.message).pipe(Effect.retry(backoff), Effect.orDie)
          linesBuried.updateUnsafe(only.entry.lines.length, Context.empty())
          return { ...work, decoded: [] }
        }
        const parts = yield* Effect.forEach(work.decoded, (one) => storeOrBury(owned, { ...work, decoded: [one] }))
        return { ...work, decoded: parts.flatMap((part) => part.decoded) }
      })
    )
  )

/** Owns a partition until its lease is lost or the scope closes; when asked to leave it is through with what it has read. */
const hold = (owned: Ownership, config: PipelineConfig, leave: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const judges = yield* Judges.make(owned.state)
    const decoders = yield* Decoders.make()
    const judged = yield* Queue.bounded<Judged | undefined>(config.turnsAhead)
    const leaving = yield* Effect.forkScoped(leave)
    const reads = Effect.gen(function* () {
      while (leaving.pollUnsafe() === undefined) yield* front(owned, judges, decoders, config, judged)
      yield* Queue.offer(judged, undefined)
      return yield* Effect.never
    })
    const keeps = Effect.gen(function* () {
      for (;;) {
        const one = yield* Queue.take(judged)
        if (one === undefined) return
        yield* back(owned, one)
      }
    })
    const heartbeat = owned.renew.pipe(
      Effect.delay(Duration.millis(config.leaseMs / 3)),
      Effect.catchTag("RedisError", (error) => Effect.logWarning("lease not renewed", error.message)),
      Effect.forever
    )
    // Whatever fails here ends all three: the next owner begins at the last commit, with the state of that moment.
    return yield* Effect.raceAllFirst([reads, keeps, heartbeat])
  })

/** One partition's whole life: wait for room and the lease, hold it, start anew after any loss. */
const partition = (
  logs: LogStream["Service"],
  index: number,
  owner: string,
  config: PipelineConfig,
  share: PartitionShare.PartitionShare
) =>
  Effect.gen(function* () {
    yield* share.within((leave) =>
      Effect.scoped(
        Effect.gen(function* () {
          const owned = yield* logs.own(index, owner)
          if (owned === undefined) return
          yield* Effect.logDebug(`owns log partition ${index}`)
          yield* hold(owned, config, leave)
          yield* Effect.logDebug(`gives log partition ${index} back`)
        })
      )
    )
    // Not in step with the others, so that each gets to ask for what has become free.
    yield* Effect.sleep(Duration.millis(config.leaseMs * (0.25 + 0.25 * (yield* Random.next))))
  }).pipe(
    Effect.catchCause((cause) =>
      Effect.andThen(Effect.logWarning(`log partition ${index} starts anew`, cause), Effect.sleep("500 millis"))
    ),
    Effect.forever
  )

export class LogActors extends Context.Service<LogActors, { readonly owner: string }>()(
  "loglytics/pipeline/LogActors"
) {
  /** Runs actors for its part of the partitions while the layer lives; `owner` names this process. */
  static readonly layer = (owner: string, config: PipelineConfig) =>
    Layer.effect(
      LogActors,
      Effect.gen(function* () {
        const logs = yield* LogStream
        const share = yield* PartitionShare.make(logs, owner, config.leaseMs)
        for (let p = 0; p < logs.partitions; p++) {
          yield* Effect.forkScoped(partition(logs, p, owner, config, share))
        }
        return { owner }
      })
    )
}
