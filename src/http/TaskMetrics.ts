/**
 * What workers have done, by task, in Prometheus' text format: under the names of this product, and under those that
 * dashboards made for Flower ask for. The figures come with the workers' records, so any process tells those of all.
 */
import { type Histogram, tallyBounds, type TaskTally, type WorkerRow } from "../streams/Inspect.ts"
import { escapeLabel, type Sample, series } from "./Prometheus.ts"

interface Row {
  readonly labels: { readonly worker: string; readonly task: string }
  readonly tally: TaskTally
}

const types = {
  succeeded: "task-succeeded",
  failed: "task-failed",
  retried: "task-retried",
  revoked: "task-revoked",
  rejected: "task-rejected"
} as const
type End = keyof typeof types
const ends = Object.keys(types) as ReadonlyArray<End>

const histogram = (name: string, help: string, rows: ReadonlyArray<Row>, of: (tally: TaskTally) => Histogram) => {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`]
  for (const { labels, tally } of rows) {
    const { count, counts, sum } = of(tally)
    const pairs = `worker="${escapeLabel(labels.worker)}",task="${escapeLabel(labels.task)}"`
    let below = 0
    tallyBounds.forEach((bound, i) => {
      below += counts[i] ?? 0
      lines.push(`${name}_bucket{${pairs},le="${bound}"} ${below}`)
    })
    lines.push(`${name}_bucket{${pairs},le="+Inf"} ${count}`, `${name}_sum{${pairs}} ${sum}`)
    lines.push(`${name}_count{${pairs}} ${count}`)
  }
  return lines.join("\n")
}

/** Series of every task of every living worker. */
export const taskMetrics = (workers: ReadonlyArray<WorkerRow>): ReadonlyArray<string> => {
  const rows = workers.flatMap((w): ReadonlyArray<Row> =>
    Object.entries(w.tally ?? {}).map(([task, tally]) => ({ labels: { worker: w.id, task }, tally }))
  )
  const each = (of: (row: Row) => number): ReadonlyArray<Sample> =>
    rows.map((row) => ({ labels: row.labels, value: of(row) }))
  const events = rows.flatMap(({ labels, tally }): ReadonlyArray<Sample> => [
    { labels: { ...labels, type: "task-started" }, value: tally.started },
    ...ends.map((end) => ({ labels: { ...labels, type: types[end] }, value: tally.ends[end] }))
  ])
  const attempts = rows.flatMap(({ labels, tally }) =>
    ends.map((end) => ({ labels: { ...labels, end }, value: tally.ends[end] }))
  )
  const online = workers.map((w) => ({ labels: { worker: w.id }, value: 1 }))
  const running = workers.map((w) => ({ labels: { worker: w.id }, value: w.running.length }))
  return [
    series(
      "loglytics_task_attempts_total",
      "counter",
      "Attempts since the worker's start, by how they ended.",
      attempts
    ),
    histogram("loglytics_task_runtime_seconds", "How long attempts ran.", rows, (t) => t.runtime),
    histogram("loglytics_task_wait_seconds", "From when a job could be taken to its first start.", rows, (t) => t.wait),
    series("flower_events_total", "counter", "As Flower: events by worker, type and task.", events),
    histogram("flower_task_runtime_seconds", "As Flower: how long tasks ran.", rows, (t) => t.runtime),
    series(
      "flower_task_prefetch_time_seconds",
      "gauge",
      "As Flower: how long the last task waited in its worker.",
      each((r) => r.tally.prefetchTime)
    ),
    series(
      "flower_worker_prefetched_tasks",
      "gauge",
      "As Flower: tasks held by a worker and not begun.",
      each((r) => r.tally.prefetched)
    ),
    series("flower_worker_online", "gauge", "As Flower: whether a worker is online.", online),
    series(
      "flower_worker_number_of_currently_executing_tasks",
      "gauge",
      "As Flower: tasks that run in a worker.",
      running
    )
  ]
}
