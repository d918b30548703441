/** How rows of the engine look on the wire: times as ISO 8601, like everywhere else on the API. */
import type { JobRow as EngineRow } from "../streams/Events.ts"
import type { ScheduleRow as BeatRow } from "../schedules/Beat.ts"
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
export const scheduleRow = (row: BeatRow) => ({ ...row, nextAt: iso(row.nextAt), lastAt: iso(row.lastAt) })
