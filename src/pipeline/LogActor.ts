/**
 * One fiber per partition of the log stream: takes the lease, then turn after turn reads batches and runs them through the
 * stages, and commits position and judge state together. Promises that a batch is committed only when every stage is done
 * with it, that a failing store stops the commit and not the process, and that a batch which can never be stored is set
 * aside with its reason instead of blocking the rest.
 */
import { Clock, Context, Duration, Effect, Layer, Metric, Schedule } from "effect"
import { Alerts } from "../store/Alerts.ts"
import { StoreError } from "../store/Database.ts"
import { Logs } from "../store/Logs.ts"
import { Rules } from "../store/Rules.ts"
import { Live } from "../streams/Live.ts"
import { type LogEntry, LogStream, type Ownership } from "../streams/LogStream.ts"
import type { RedisError } from "../streams/Redis.ts"
import { AlertSink, type SinkError } from "./AlertSink.ts"
import * as Judges from "./Judges.ts"
import type { Stage, Work } from "./Stage.ts"
import { announce } from "./stages/announce.ts"
import { decode } from "./stages/decode.ts"
import { judge, publishVerdicts } from "./stages/judge.ts"
import { publish } from "./stages/publish.ts"
import { store } from "./stages/store.ts"

export interface PipelineConfig {
  /** Batches read and stored together. */
  readonly batchesPerTurn: number
  /** How long a turn waits for batches before it lets time pass for the rules, ms. */
  readonly idleMs: number
  /** The lease of LogStreamConfig; a third of it passes between two renewals, ms. */
  readonly leaseMs: number
}

type Services = Logs | Rules | Alerts | Live | AlertSink
type StageError = StoreError | RedisError | SinkError

const linesStored = Metric.counter("log_lines_stored_total", {
  description: "log lines that went through the pipeline",
  incremental: true
})
const linesBuried = Metric.counter("log_lines_buried_total", {
  description: "log lines set aside because they can't be stored",
  incremental: true
})

/** The way of a batch, in order. */
export const stages = (judges: Judges.Judges): ReadonlyArray<Stage<StageError, Services>> => [
  judge(judges),
  announce,
  store,
  publish
]

const backoff = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")]).pipe(Schedule.jittered)

/** Whether trying again can help. Everything but a refusal of the data itself can. */
const hopeless = (error: StageError): error is StoreError => error instanceof StoreError && !error.retryable

const runStage = (stage: Stage<StageError, Services>, work: Work) =>
  stage.run(work).pipe(
    Effect.tapError((error) => Effect.logWarning(`pipeline stage ${stage.name} waits`, error.message)),
    Effect.retry({ schedule: backoff, while: (error) => !hopeless(error) })
  )

/** Runs entries through the stages; what Postgres refuses for good is found batch by batch and set aside. */
const process = (owned: Ownership, judges: Judges.Judges, entries: ReadonlyArray<LogEntry>) =>
  Effect.gen(function* () {
    let work: Work = { decoded: yield* decode(entries), verdicts: [] }
    for (const stage of stages(judges)) {
      work = yield* runStage(stage, work).pipe(
        Effect.catch((error) => (hopeless(error) ? oneByOne(owned, stage, work, error) : Effect.die(error)))
      )
    }
    const lines = entries.reduce((sum, entry) => sum + entry.lines.length, 0)
    linesStored.updateUnsafe(lines, Context.empty())
  })

const oneByOne = (
  owned: Ownership,
  stage: Stage<StageError, Services>,
  work: Work,
  error: StoreError
): Effect.Effect<Work, RedisError, Services> =>
  Effect.gen(function* () {
    if (work.decoded.length <= 1) {
      for (const { entry } of work.decoded) {
        yield* Effect.logError(`log batch ${entry.id} of project ${entry.project} is set aside`, error.message)
        yield* owned.bury(entry, error.message).pipe(Effect.retry(backoff))
        linesBuried.updateUnsafe(entry.lines.length, Context.empty())
      }
      return { ...work, decoded: [] }
    }
    const decoded: Array<Work["decoded"][number]> = []
    for (const one of work.decoded) {
      const part: Work = { decoded: [one], verdicts: [] }
      const done = yield* runStage(stage, part).pipe(
        Effect.catch((e) => (hopeless(e) ? oneByOne(owned, stage, part, e) : Effect.die(e)))
      )
      decoded.push(...done.decoded)
    }
    return { ...work, decoded }
  })

/** One pass: read, run the stages, let time pass, commit. Exported for tests. */
export const turn = (owned: Ownership, judges: Judges.Judges, config: PipelineConfig) =>
  Effect.gen(function* () {
    const entries = yield* owned.read(config.batchesPerTurn, config.idleMs)
    if (entries.length > 0) yield* process(owned, judges, entries)
    const due = judges.tick(yield* Clock.currentTimeMillis)
    if (due.length > 0) {
      yield* publishVerdicts(due)
      yield* runStage(announce, { decoded: [], verdicts: due }).pipe(Effect.orDie)
    }
    const changes = judges.changes()
    if (entries.length > 0 || changes.size > 0) {
      yield* owned.commit(entries, changes)
      judges.saved(changes)
    }
    return entries.length
  })

/** Owns a partition until its lease is lost or the scope closes. */
const hold = (owned: Ownership, config: PipelineConfig) =>
  Effect.gen(function* () {
    const judges = yield* Judges.make(owned.state)
    const heartbeat = owned.renew.pipe(
      Effect.delay(Duration.millis(config.leaseMs / 3)),
      Effect.catchTag("RedisError", (error) => Effect.logWarning("lease not renewed", error.message)),
      Effect.forever
    )
    return yield* Effect.raceFirst(Effect.forever(turn(owned, judges, config)), heartbeat)
  })

/** One partition's whole life: wait for the lease, hold it, start anew after any loss. */
const partition = (logs: LogStream["Service"], index: number, owner: string, config: PipelineConfig) =>
  Effect.scoped(
    Effect.gen(function* () {
      const owned = yield* logs.own(index, owner)
      if (owned === undefined) return yield* Effect.sleep(Duration.millis(config.leaseMs / 2))
      yield* Effect.logDebug(`owns log partition ${index}`)
      return yield* hold(owned, config)
    })
  ).pipe(
    Effect.catchCause((cause) =>
      Effect.andThen(Effect.logWarning(`log partition ${index} starts anew`, cause), Effect.sleep("500 millis"))
    ),
    Effect.forever
  )

export class LogActors extends Context.Service<LogActors, { readonly owner: string }>()(
  "loglytics/pipeline/LogActors"
) {
  /** Runs one actor per partition while the layer lives; `owner` names this process. */
  static readonly layer = (owner: string, config: PipelineConfig) =>
    Layer.effect(
      LogActors,
      Effect.gen(function* () {
        const logs = yield* LogStream
        for (let p = 0; p < logs.partitions; p++) {
          yield* Effect.forkScoped(partition(logs, p, owner, config))
        }
        return { owner }
      })
    )
}
