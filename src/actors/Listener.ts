/**
 * Hears revokes, pauses, settings, questions and calls to wake, on a connection of its own. Promises that after each
 * (re)connection what was missed is read from Redis: who is paused, what was revoked, which limits were set.
 */
import { Effect, type Scope } from "effect"
import { type QueueName, queues } from "../jobs/JobQueue.ts"
import type { Message } from "../streams/Control.ts"
import { attempt, type RedisError } from "../streams/Redis.ts"
import * as Settings from "../streams/Settings.ts"
import { answer, standBack } from "./Answers.ts"
import type { Worker } from "./Worker.ts"

/** Ids that are kept per queue (the scripts bound them), and read at once. */
const revokedMax = 50_000
const revokedPage = 5_000

/** Reads what may have been missed. Returns how many revoked ids are known. */
export const turn = (worker: Worker): Effect.Effect<number, RedisError> =>
  Effect.gen(function* () {
    const { desk, keys, redis } = worker
    yield* settings(worker)
    return yield* attempt("listen", async () => {
      for (const queue of queues) {
        for (let from = 0; from < revokedMax; from += revokedPage) {
          const ids = await redis.client.zrange(
            keys.queue(queue).revoked,
            String(-from - revokedPage),
            String(-from - 1)
          )
          // Whether a running one is to be interrupted was told when it was asked for; here only starts are held back.
          for (const id of ids) if (!desk.revoked.has(id)) desk.revoke(id, false)
          if (ids.length < revokedPage) break
        }
      }
      return desk.revoked.size
    })
  })

const known = new WeakMap<Worker, { begun: number; applied: number }>()
const readsOf = (worker: Worker) => {
  const reads = known.get(worker) ?? { begun: 0, applied: 0 }
  known.set(worker, reads)
  return reads
}

/** Reads what was set at run time, and acts on what is new. */
const settings = (worker: Worker): Effect.Effect<void, RedisError> =>
  Effect.gen(function* () {
    const { desk, gatekeeper, redis } = worker
    const reads = readsOf(worker)
    const mine = ++reads.begun
    const loaded = yield* attempt("settings", () => Settings.load(redis.client, redis.namespace))
    // A read that began later has told more already.
    if (mine < reads.applied) return
    reads.applied = mine
    gatekeeper.override(loaded.tasks)
    const told = [...loaded.queues.values()].some((q) => q.pausedTasks.size > 0 || q.revokedTasks.size > 0)
    desk.told = told ? loaded.queues : undefined
    for (const queue of queues) yield* pause(worker, queue, loaded.queues.get(queue)?.paused === true)
    if (loaded.tasks.size > 0) {
      yield* attempt("adopt", () => gatekeeper.adopt([...desk.runningJobs], worker.registry.tasks))
    }
  })

const pause = (worker: Worker, queue: QueueName, paused: boolean): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { desk } = worker
    if (desk.paused.has(queue) === paused) return Effect.void
    if (paused) {
      desk.paused.add(queue)
      return standBack(worker, [queue])
    }
    desk.paused.delete(queue)
    desk.room[queue].ring()
    // What was given back when the pause began.
    desk.orphans.ring()
    return Effect.void
  })

/** Acts on one message. */
export const hear = (worker: Worker, message: Message): Effect.Effect<void, RedisError> | undefined => {
  const { desk } = worker
  switch (message.op) {
    case "wake":
      desk.due.ring()
      return undefined
    case "reclaim":
      desk.orphans.ring()
      return undefined
    case "revoke":
      desk.revoke(message.id, message.terminate)
      return undefined
    case "settings":
      return settings(worker)
    case "ask":
      return answer(worker, message)
  }
}

/** Listens until the scope closes. */
export const start = (worker: Worker): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context()
    const run = (effect: Effect.Effect<unknown, RedisError>) => void Effect.runForkWith(context)(Effect.ignore(effect))
    yield* worker.redis.subscribe("listener", worker.keys.control, {
      message: (text) => {
        try {
          const acted = hear(worker, JSON.parse(text) as Message)
          if (acted !== undefined) run(acted)
        } catch {
          // Not ours: nobody else should write here, and a worker must not fall over it.
        }
      },
      listening: () => run(turn(worker))
    })
  })
