/** `/metrics` for Prometheus: this process's own counters, and what Redis says of queues and log partitions at scrape time. */
import { Effect } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { PrometheusMetrics } from "effect/observability"
import { Inspect } from "../streams/Inspect.ts"
import { LogStream } from "../streams/LogStream.ts"
import { gauge } from "./Prometheus.ts"
import { taskMetrics } from "./TaskMetrics.ts"

/** One gauge per figure, a sample per row, told apart by a label. */
const gauges = <Row>(
  rows: ReadonlyArray<Row>,
  label: string,
  labelOf: (row: Row) => string | number,
  figures: ReadonlyArray<readonly [name: string, help: string, value: (row: Row) => number]>
): ReadonlyArray<string> =>
  figures.map(([name, help, value]) =>
    gauge(
      name,
      help,
      rows.map((row) => ({ labels: { [label]: labelOf(row) }, value: value(row) }))
    )
  )

const engineMetrics = Effect.gen(function* () {
  const inspect = yield* Inspect
  const queues = yield* inspect.queues
  const workers = yield* inspect.workers
  return [
    ...gauges(queues, "queue", (q) => q.name, [
      ["loglytics_queue_backlog", "Jobs that no worker has read yet.", (q) => q.backlog],
      ["loglytics_queue_in_flight", "Jobs that workers have read and not settled.", (q) => q.inFlight],
      ["loglytics_queue_delayed", "Jobs that wait for their time.", (q) => q.delayed],
      ["loglytics_queue_dead", "Jobs that gave up.", (q) => q.dead],
      ["loglytics_queue_oldest_seconds", "Age of the oldest job that could be taken.", (q) => q.oldestAgeMs / 1_000]
    ]),
    gauge("loglytics_workers", "Workers with a heartbeat.", [{ labels: {}, value: workers.length }]),
    ...gauges(workers, "worker", (w) => w.id, [
      ["loglytics_jobs_running", "Jobs that run now.", (w) => w.running.length],
      ["loglytics_worker_processed", "Attempts ended since the worker's start.", (w) => w.processed],
      ["loglytics_worker_failed", "Attempts failed since the worker's start.", (w) => w.failed],
      ["loglytics_worker_memory_bytes", "Memory of the worker's process (RSS).", (w) => w.rss ?? 0],
      ["loglytics_worker_threads", "Worker threads that live.", (w) => w.threads?.alive ?? 0],
      ["loglytics_worker_threads_crashed", "Worker threads that ended under a job.", (w) => w.threads?.crashed ?? 0],
      ["loglytics_worker_stalls", "Stalls of the event loop since the worker's start.", (w) => w.stalls?.count ?? 0],
      [
        "loglytics_worker_stall_longest_seconds",
        "Longest stall of the event loop since the worker's start.",
        (w) => (w.stalls?.longestMs ?? 0) / 1_000
      ]
    ]),
    ...taskMetrics(workers)
  ]
})

const logMetrics = Effect.gen(function* () {
  const logs = yield* LogStream
  return gauges(yield* logs.depth, "partition", (p) => p.partition, [
    ["loglytics_log_backlog_batches", "Batches not yet through the pipeline.", (p) => p.backlog],
    ["loglytics_log_backlog_bytes", "Bytes of those batches.", (p) => p.bytes],
    ["loglytics_log_oldest_seconds", "Age of the oldest of those batches.", (p) => p.oldestAgeMs / 1_000]
  ])
})

/** The route. When Redis does not answer, this process's own figures are still told, with `loglytics_up 0`. */
export const MetricsRoute = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const context = yield* Effect.context<Inspect | LogStream>()
    yield* router.add(
      "GET",
      "/metrics",
      Effect.gen(function* () {
        const outside = yield* Effect.all([engineMetrics, logMetrics]).pipe(
          Effect.map((parts) => [
            gauge("loglytics_up", "Whether Redis answers.", [{ labels: {}, value: 1 }]),
            ...parts.flat()
          ]),
          Effect.catch(() =>
            Effect.succeed([gauge("loglytics_up", "Whether Redis answers.", [{ labels: {}, value: 0 }])])
          ),
          Effect.provideContext(context)
        )
        const own = yield* PrometheusMetrics.format({ prefix: "loglytics" })
        return HttpServerResponse.text(`${outside.join("\n")}\n${own}\n`, {
          contentType: "text/plain; version=0.0.4; charset=utf-8"
        })
      })
    )
  })
)
