/**
 * Renews the lease of everything this worker holds and tells the world that it is alive. Promises three renewals per lease,
 * and that a job whose claim was lost is stopped here, since another worker runs it. Also announces jobs that run for a
 * while, so that people see them.
 */
import { Effect } from "effect"
import { queues } from "../jobs/JobQueue.ts"
import * as Events from "../streams/Events.ts"
import * as JobQueues from "../streams/JobQueues.ts"
import { attempt, type RedisError } from "../streams/Redis.ts"
import * as Scripts from "../streams/Scripts.ts"
import type { Desk } from "./Desk.ts"
import type { Held } from "./Held.ts"
import type { Worker } from "./Worker.ts"

/** Running jobs told in the worker's record at most. */
const runningTold = 100
/** A worker silent for so long is forgotten, in ms. */
const forgottenMs = 60_000
/** A job is announced as running once it has run for so long, in ms. */
const announceAfterMs = 100

/** One beat. Returns how many claims were lost. */
export const turn = (worker: Worker): Effect.Effect<number, RedisError> =>
  attempt("heartbeat", async () => {
    const at = performance.now()
    const lost = await renew(worker)
    worker.desk.renewed(at)
    await worker.gatekeeper.beat()
    await worker.clock.look(worker.redis.client)
    if (worker.desk.gone) return lost
    await Scripts.beat(
      worker.redis.client,
      [worker.keys.workers],
      [worker.name, worker.token, JSON.stringify(recordOf(worker)), forgottenMs]
    )
    return lost
  })

const renew = async (worker: Worker): Promise<number> => {
  let lost = 0
  for (const queue of queues) {
    const byEntry = worker.desk.held.get(queue)
    if (byEntry === undefined || byEntry.size === 0) continue
    const held = [...byEntry.values()]
    for (let i = 0; i < held.length; i += JobQueues.scriptMax) {
      const part = held.slice(i, i + JobQueues.scriptMax)
      const claims = part.map((h) => ({ entry: h.job.entry, count: h.count }))
      try {
        const gone = await JobQueues.renew(worker.redis.client, worker.keys.queue(queue), worker.name, claims)
        lost += drop(worker, gone, part, claims)
      } catch (error) {
        if (!JobQueues.isGroupLost(error)) throw error
        await JobQueues.ensureGroup(worker.redis.client, worker.keys.queue(queue))
      }
    }
  }
  return lost
}

/** Stops jobs whose claim is gone, unless they were settled or claimed anew while the renewal was under way. */
const drop = (
  worker: Worker,
  gone: ReadonlyArray<string>,
  part: ReadonlyArray<Held>,
  claims: ReadonlyArray<JobQueues.Claim>
): number => {
  let lost = 0
  for (const entry of gone) {
    const i = claims.findIndex((c) => c.entry === entry)
    const held = part[i]
    if (held === undefined || held.phase === "settling" || held.count !== claims[i]?.count) continue
    if (worker.desk.held.get(held.job.queue)?.get(entry) !== held) continue
    worker.desk.drop(held)
    lost++
  }
  return lost
}

/** The worker's record, without the time that the script adds. */
export const recordOf = (worker: Worker) => {
  const { desk, options } = worker
  const running = []
  for (const held of desk.runningJobs) {
    if (running.length >= runningTold) break
    if (held.startedAt === 0 || held.job.task.startsWith("@")) continue
    running.push({ jobId: held.job.id, task: held.job.task, startedAt: held.startedAt })
  }
  return {
    id: worker.name,
    token: worker.token,
    host: options.host,
    pid: process.pid,
    version: options.version,
    concurrency: desk.shares.concurrency,
    startedAt: worker.startedAt,
    running,
    reserved: queues.reduce((n, q) => n + desk.waiting[q], 0),
    processed: desk.processed,
    failed: desk.failed,
    stalls: worker.stalls,
    rss: process.memoryUsage.rss(),
    threads: { alive: worker.threads.count, crashed: worker.threads.crashed },
    queues: queues.filter((q) => worker.consuming.has(q) && !desk.off.has(q)),
    ...(desk.draining ? { draining: true } : {}),
    ...(desk.abandoned === 0 ? {} : { abandoned: abandonedOf(desk) }),
    tasks: [...worker.registry.tasks.keys()],
    tally: desk.tally.record(queues.flatMap((q) => [...(desk.held.get(q)?.values() ?? [])]))
  }
}

/** Attempts that did not end when they were told to: how many ever, and whose fibers go on. */
const abandonedOf = (desk: Desk) => ({
  count: desk.abandoned,
  running: [...desk.strays]
    .slice(0, runningTold)
    .map((held) => ({ jobId: held.job.id, task: held.job.task, startedAt: held.startedAt }))
})

/** Tells of jobs that have begun a while ago; quick jobs are only told when they end. */
export const announce = (worker: Worker): Effect.Effect<void, RedisError> =>
  attempt("announce", async () => {
    const before = Date.now() - announceAfterMs
    const rows: Array<Events.PackedRow> = []
    for (const held of worker.desk.runningJobs) {
      if (held.announced || held.startedAt === 0 || held.startedAt > before || held.job.task.startsWith("@")) continue
      held.announced = true
      rows.push([held.job.id, held.job.task, "running", held.attempt, held.enqueuedAt, held.startedAt, null])
    }
    await Events.emit(worker.redis.client, worker.redis.namespace, rows)
  })

export const run = (worker: Worker) =>
  Effect.forever(Effect.flatMap(turn(worker), () => Effect.sleep(worker.options.leaseMs / 3)))

export const runAnnounce = (worker: Worker) =>
  Effect.forever(Effect.flatMap(announce(worker), () => Effect.sleep(announceAfterMs)))
