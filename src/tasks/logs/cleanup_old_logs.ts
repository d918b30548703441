/**
 * Removes lines that are older than their project keeps them, counted from their arrival. Days that no project keeps any
 * more go as whole tables, which costs nothing; what shorter-lived projects have in younger days is deleted line by line.
 * Uploaded files go as lines do.
 */
import { Clock, Effect, Schema } from "effect"
import type { ProjectId } from "../../domain/Ids.ts"
import { retentionDefaultDays } from "../../domain/ProjectSettings.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { Blobs } from "../../store/Blobs.ts"
import { LogFiles } from "../../store/LogFiles.ts"
import { Logs } from "../../store/Logs.ts"
import { ProjectSettings } from "../../store/ProjectSettings.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"

const dayMs = 86_400_000

export const CleanupOldLogs = Task.make("cleanup_old_logs", {
  payload: {
    /** For every project, whatever it has set. Left out: as each project has set it, else 30 days. */
    olderThanDays: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3_650 })))
  },
  result: Schema.Struct({
    /** Days dropped whole, as `2026-10-29`. */
    days: Schema.Array(Schema.String),
    /** Lines deleted one by one, by project; projects without any are left out. */
    lines: Schema.Record(Schema.String, Schema.Natural),
    /** Uploaded files removed. */
    files: Schema.Natural
  }),
  error: DependencyFailed,
  queue: "low-priority",
  timeout: "2 hours",
  retry: Retry.exponential({ attempts: 5, base: "1 minute", cap: "10 minutes" }),
  unique: () => "all"
})

/** What goes how: every line before `dropBefore`, and of some projects also those before a later moment. Pure. */
export const planOf = (
  now: number,
  days: ReadonlyMap<ProjectId, number>
): { readonly dropBefore: number; readonly shorter: ReadonlyArray<readonly [ProjectId, before: number]> } => {
  const longest = Math.max(...(days.size === 0 ? [retentionDefaultDays] : days.values()))
  return {
    dropBefore: now - longest * dayMs,
    shorter: [...days].flatMap(([project, kept]) => (kept < longest ? [[project, now - kept * dayMs] as const] : []))
  }
}

export const CleanupOldLogsLive = CleanupOldLogs.toLayer(
  Effect.gen(function* () {
    const logs = yield* Logs
    const settings = yield* ProjectSettings
    const logFiles = yield* LogFiles
    const blobs = yield* Blobs
    const removeFiles = Effect.fnUntraced(function* (project: ProjectId, before: number) {
      let removed = 0
      for (;;) {
        const old = yield* logFiles.before(project, before)
        if (old.length === 0) return removed
        for (const { id } of old) yield* Effect.andThen(blobs.remove(id), logFiles.remove(id))
        removed += old.length
      }
    })
    return Effect.fn("CleanupOldLogs")(function* ({ olderThanDays }, job: Task.JobContext) {
      const now = yield* Clock.currentTimeMillis
      const kept = yield* settings.retention.pipe(Effect.mapError(dependencyFailed))
      const days =
        olderThanDays === undefined ? kept : new Map([...kept.keys()].map((project) => [project, olderThanDays]))
      const plan = planOf(now, days)
      const dropped = yield* logs.dropBefore(plan.dropBefore).pipe(Effect.mapError(dependencyFailed))
      const lines: Record<string, number> = {}
      for (const [index, [project, before]] of plan.shorter.entries()) {
        const count = yield* logs.deleteBefore(project, before).pipe(Effect.mapError(dependencyFailed))
        if (count > 0) lines[project] = count
        yield* job.progress({ projects: index + 1, of: plan.shorter.length, days: dropped.length })
      }
      let files = 0
      for (const [project, count] of days) {
        files += yield* removeFiles(project, now - count * dayMs).pipe(Effect.mapError(dependencyFailed))
      }
      return { days: [...dropped], lines, files }
    })
  })
)
