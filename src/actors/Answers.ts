/**
 * What a worker answers when it is asked over the control channel, and does when it is told. Promises that a question which
 * makes no sense is answered with what was expected, and that nothing asked here takes long; how questions travel is the
 * matter of `streams/Requests`.
 */
import { Deferred, Effect, Exit } from "effect"
import { type QueueName, queues } from "../jobs/JobQueue.ts"
import * as Rate from "../jobs/Rate.ts"
import type { Registration } from "../jobs/Registry.ts"
import { attempt } from "../streams/Redis.ts"
import type { Ask, Asks, HeldRow, Reply, Request, TaskOptions } from "../streams/Requests.ts"
import { giveBack } from "./GiveBack.ts"
import type { Held } from "./Held.ts"
import { defaultReserved } from "./Share.ts"
import type { Worker } from "./Worker.ts"

/** Rows that one answer has at most. */
const rowsMax = 1_000
/** Permits that a worker may be grown to. */
const concurrencyMax = 10_000

type Answerer<W extends Ask> = (
  worker: Worker,
  args: Asks[W]["args"]
) => Asks[W]["answer"] | Effect.Effect<Asks[W]["answer"]>

/** Answers a question, where this worker is meant. */
export const answer = (worker: Worker, request: Request): Effect.Effect<void> => {
  if (request.to !== undefined && !request.to.includes(worker.name)) return Effect.void
  const answerer = answerers[request.what] as Answerer<Ask> | undefined
  return Effect.suspend(() => {
    if (answerer === undefined) {
      return Effect.die(new Error(`expected one of ${Object.keys(answerers).join(", ")}, got ${request.what}`))
    }
    const value = answerer(worker, (request.args ?? {}) as never)
    return Effect.isEffect(value) ? value : Effect.succeed(value)
  }).pipe(
    Effect.sandbox,
    Effect.match({
      onSuccess: (value): Reply<unknown> => ({ worker: worker.name, ok: true, value }),
      onFailure: (cause): Reply<unknown> => {
        const reason = cause.reasons.find((r) => r._tag !== "Interrupt")
        const error = reason === undefined ? "interrupted" : reason._tag === "Fail" ? reason.error : reason.defect
        return { worker: worker.name, ok: false, error: error instanceof Error ? error.message : String(error) }
      }
    }),
    Effect.flatMap((reply) =>
      attempt("reply", () => worker.redis.client.publish(request.reply, JSON.stringify(reply)))
    ),
    Effect.ignore({ log: "Warn" })
  )
}

const answerers: { readonly [W in Ask]: Answerer<W> } = {
  ping: () => ({ at: Date.now() }),
  pool: (worker, { by }) => {
    if (!Number.isInteger(by)) throw new Error(`by: expected a whole number, got ${JSON.stringify(by)}`)
    return resize(worker, worker.desk.shares.concurrency + by)
  },
  add_consumer: (worker, { queue }) => {
    checkQueue(queue)
    worker.desk.off.delete(queue)
    return Effect.map(worker.consume(queue), () => consumers(worker))
  },
  cancel_consumer: (worker, { queue }) => {
    checkQueue(queue)
    worker.desk.off.add(queue)
    return Effect.map(standBack(worker, [queue]), () => consumers(worker))
  },
  drain: (worker) => {
    worker.desk.draining = true
    return Effect.map(standBack(worker, queues), () => ({ running: worker.desk.runningJobs.size }))
  },
  undrain: (worker) => {
    worker.desk.draining = false
    for (const q of queues) worker.desk.room[q].ring()
    worker.desk.orphans.ring()
    return { running: worker.desk.runningJobs.size }
  },
  // Nothing more is begun from now on; the program that awaits `Workers.stopped` ends the process.
  shutdown: (worker) => {
    worker.desk.draining = true
    return Effect.map(standBack(worker, queues), () => {
      Deferred.doneUnsafe(worker.stopped, Exit.void)
      return { running: worker.desk.runningJobs.size }
    })
  },
  conf: (worker) => ({
    ...worker.options,
    queues: consumers(worker).queues,
    concurrency: worker.desk.shares.concurrency,
    reserved: worker.desk.shares.reserved,
    prefetch: worker.desk.prefetch,
    namespace: worker.redis.namespace,
    node: process.version
  }),
  query_task: (worker, { ids }) => {
    const wanted = new Set(ids)
    return rows(all(worker), (h) => wanted.has(h.job.id))
  },
  active: (worker) => rows(worker.desk.runningJobs, (h) => h.startedAt > 0),
  reserved: (worker) => rows(all(worker), (h) => h.phase === "reserved"),
  active_queues: (worker) =>
    consumers(worker).queues.map((queue) => ({
      queue,
      state: worker.desk.draining ? "draining" : worker.desk.paused.has(queue) ? "paused" : "open",
      running: worker.desk.running[queue],
      reserved: worker.desk.waiting[queue]
    })),
  registered: (worker) => [...worker.registry.tasks.values()].map((task) => optionsOf(worker, task)),
  revoked: (worker) => [...worker.desk.revoked.keys()].slice(-rowsMax),
  stats: (worker) => {
    const { desk } = worker
    const cpu = process.cpuUsage()
    return {
      pid: process.pid,
      uptimeMs: Date.now() - worker.startedAt,
      concurrency: desk.shares.concurrency,
      running: desk.runningJobs.size,
      reserved: queues.reduce((n, q) => n + desk.waiting[q], 0),
      processed: desk.processed,
      failed: desk.failed,
      lost: desk.lost,
      abandoned: desk.abandoned,
      strays: [...desk.strays].slice(0, 100).map((h) => ({ id: h.job.id, task: h.job.task })),
      unsettled: worker.settler.size,
      gateQuestions: worker.gatekeeper.asked,
      rssBytes: process.memoryUsage.rss(),
      cpuMs: Math.round((cpu.user + cpu.system) / 1_000)
    }
  }
}

/** Reads no more of these queues and gives back what was not begun; a read under way is cut short. */
export const standBack = (worker: Worker, of: ReadonlyArray<QueueName>): Effect.Effect<void> =>
  Effect.andThen(giveBack(worker, worker.desk.unstarted(of), false), worker.unblock(of))

const resize = (worker: Worker, concurrency: number) => {
  if (concurrency < 1 || concurrency > concurrencyMax) {
    throw new Error(`expected a concurrency of 1 to ${concurrencyMax} afterwards, got ${concurrency}`)
  }
  const { desk, options } = worker
  const served = consumers(worker).queues
  const spare = defaultReserved(concurrency)
  const keep = (q: QueueName) => (served.includes(q) && served.length > 1 ? Math.min(spare[q], options.reserved[q]) : 0)
  const reserved = {
    "high-priority": keep("high-priority"),
    default: keep("default"),
    "low-priority": keep("low-priority")
  }
  const prefetch = Math.max(1, Math.min(options.maxInFlight, Math.ceil(concurrency * options.prefetchMultiplier)))
  desk.resize({ concurrency, reserved }, prefetch)
  return { concurrency }
}

const consumers = (worker: Worker) => ({
  queues: queues.filter((q) => worker.consuming.has(q) && !worker.desk.off.has(q))
})

const checkQueue = (queue: string): void => {
  if (!queues.includes(queue as QueueName)) {
    throw new Error(`queue: expected one of ${queues.join(", ")}, got ${JSON.stringify(queue)}`)
  }
}

function* all(worker: Worker): Generator<Held> {
  for (const queue of queues) yield* worker.desk.held.get(queue)?.values() ?? []
}

const rows = (helds: Iterable<Held>, wanted: (held: Held) => boolean): ReadonlyArray<HeldRow> => {
  const out: Array<HeldRow> = []
  for (const held of helds) {
    if (out.length >= rowsMax) break
    if (held.job.task.startsWith("@") || !wanted(held)) continue
    out.push({
      id: held.job.id,
      task: held.job.task,
      queue: held.job.queue,
      state: held.phase,
      attempt: held.attempt,
      startedAt: held.startedAt === 0 ? null : held.startedAt
    })
  }
  return out
}

const optionsOf = (worker: Worker, task: Registration): TaskOptions => {
  const set = worker.gatekeeper.of(task.name)
  const rate = set?.rate === undefined ? task.limits?.rate?.limit : set.rate
  const permits = set?.concurrency === undefined ? task.limits?.concurrency?.limit : set.concurrency
  return {
    name: task.name,
    queue: task.queue,
    timeoutMs: (set?.time === undefined ? task.timeoutMs : set.time.softMs) ?? null,
    hardTimeoutMs: (set?.time === undefined ? task.hardTimeoutMs : set.time.hardMs) ?? null,
    rateLimit: rate === undefined || rate === null ? null : Rate.text(rate),
    concurrency: permits ?? null,
    retries: task.retry.retries,
    resultTtlMs: task.resultTtlMs
  }
}
