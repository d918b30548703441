/**
 * The jobs that ended, as lines in the project `loglytics`. Every process may run it: lines are keyed by the event they
 * tell of, so each is kept once. A burst is told as one summary per task, with what failed named one by one.
 */
import { Effect, Stream } from "effect"
import { ownProject } from "../domain/Project.ts"
import { isFinal } from "../jobs/Outcome.ts"
import { Intake } from "../pipeline/Intake.ts"
import { Events, type JobRow } from "../streams/Events.ts"

/** More jobs than this in one event are told in summary. */
const singlyMax = 20

const lineOf = (row: JobRow): string =>
  JSON.stringify({
    time: new Date(row.finishedAt ?? Date.now()).toISOString(),
    level: row.state === "dead" ? "error" : "info",
    service: "jobs",
    message:
      `${row.task} ${row.state}` +
      (row.durationMs === null ? "" : ` in ${row.durationMs} ms`) +
      (row.error === null ? "" : `: ${row.error}`),
    task: row.task,
    job_id: row.id,
    queue: row.queue,
    state: row.state,
    attempt: row.attempt,
    duration_ms: row.durationMs
  })

/** The lines for the rows of one event. Exported for tests. */
export const linesOf = (rows: ReadonlyArray<JobRow>): ReadonlyArray<string> => {
  const ended = rows.filter(({ state }) => isFinal(state))
  if (ended.length <= singlyMax) return ended.map(lineOf)
  const dead = ended.filter(({ state }) => state === "dead").slice(0, singlyMax)
  const byTask = Map.groupBy(ended, ({ task }) => task)
  const summaries = [...byTask].map(([task, all]) =>
    JSON.stringify({
      level: "info",
      service: "jobs",
      message: `${all.length} jobs of ${task} ended`,
      task,
      jobs: all.length
    })
  )
  return [...dead.map(lineOf), ...summaries]
}

export const jobLog = Effect.gen(function* () {
  const events = yield* Events
  const intake = yield* Intake
  yield* Stream.runForEach(events.tail(), ({ rows, seq }) => {
    const lines = linesOf(rows)
    return lines.length === 0 ? Effect.void : Effect.ignore(intake.submit(ownProject, lines, { key: `jobs.${seq}` }))
  })
})
