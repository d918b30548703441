/** How rows of the engine look on the wire: times as ISO 8601, like everywhere else on the API. */
import type { Schema } from "effect"
import type { JobRow as EngineRow } from "../streams/Events.ts"
import type { ScheduleRow as BeatRow, ScheduleView } from "../schedules/Schedules.ts"
import type { WorkerRow as EngineWorker } from "../streams/Inspect.ts"

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())

/** A job, as GET /v1/jobs and the topic `jobs` tell it. */
export const jobRow = (row: EngineRow) => ({
  id: row.id,
  task: row.task,
  queue: row.queue,
  state: row.state,
  attempt: row.attempt,
  enqueuedAt: iso(row.enqueuedAt),
  startedAt: iso(row.startedAt),
  finishedAt: iso(row.finishedAt),
  durationMs: row.durationMs,
  error: row.error
})

/** A worker, as GET /v1/workers tells it. */
export const workerRow = (row: EngineWorker) => ({
  id: row.id,
  host: row.host,
  pid: row.pid,
  version: row.version,
  concurrency: row.concurrency,
  running: row.running.map(({ jobId, startedAt, task }) => ({
    jobId,
    task,
    startedAt: new Date(startedAt).toISOString()
  })),
  heartbeatAt: new Date(row.heartbeatAt).toISOString()
})

/** A schedule, as GET /v1/schedules tells it. */
export const scheduleRow = (row: BeatRow) => ({
  name: row.name,
  task: row.task,
  when: row.when,
  timeZone: row.timeZone,
  nextAt: iso(row.nextAt),
  lastAt: iso(row.lastAt),
  paused: row.paused,
  source: row.source,
  description: row.description,
  fault: row.fault
})

/** A schedule with its last and next runs, as GET /v1/schedules/:name tells it. */
export const scheduleView = (view: ScheduleView) => ({
  ...scheduleRow(view),
  spec: view.spec === null ? null : (view.spec as unknown as Schema.Json),
  runs: view.runs,
  last: view.last.map(({ at, job, slot, state, why }) => ({
    slot: iso(slot),
    at: new Date(at).toISOString(),
    job,
    state,
    why
  })),
  next: view.next.map((ms) => new Date(ms).toISOString())
})
