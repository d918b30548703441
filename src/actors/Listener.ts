/**
 * Hears revokes, pauses and calls to wake, on a connection of its own. Promises that after each (re)connection what was
 * missed is read from Redis: who is paused, what was revoked.
 */
import { Effect, type Scope } from "effect"
import { queues } from "../jobs/JobQueue.ts"
import type { Message } from "../streams/Control.ts"
import { attempt, type RedisError } from "../streams/Redis.ts"
import type { Worker } from "./Worker.ts"

/** Reads what may have been missed. Returns how many revoked ids are known. */
export const turn = (worker: Worker): Effect.Effect<number, RedisError> =>
  attempt("listen", async () => {
    const { desk, keys, redis } = worker
    for (const queue of queues) {
      const paused = await redis.client.hget(keys.queue(queue).meta, "paused")
      hear(worker, { op: paused === "1" ? "pause" : "resume", queue })
      for (const id of await redis.client.zrange(keys.queue(queue).revoked, "-10000", "-1")) {
        // Whether a running one is to be interrupted was told when it was asked for; here only starts are held back.
        if (!desk.revoked.has(id)) desk.revoke(id, false)
      }
    }
    return desk.revoked.size
  })

/** Acts on one message. */
export const hear = (worker: Worker, message: Message): void => {
  const { desk } = worker
  switch (message.op) {
    case "wake":
      return desk.due.ring()
    case "reclaim":
      return desk.orphans.ring()
    case "revoke":
      return desk.revoke(message.id, message.terminate)
    case "pause":
      desk.paused.add(message.queue)
      return
    case "resume":
      if (desk.paused.delete(message.queue)) desk.room[message.queue].ring()
      return
  }
}

/** Listens until the scope closes. */
export const start = (worker: Worker): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const client = yield* worker.redis.dedicated("listener")
    const context = yield* Effect.context()
    client.on("message", (_channel, text) => {
      try {
        hear(worker, JSON.parse(text) as Message)
      } catch {
        // Not ours: nobody else should write here, and a worker must not fall over it.
      }
    })
    client.on("ready", () => {
      client.subscribe(worker.keys.control).then(
        () => Effect.runForkWith(context)(Effect.ignore(turn(worker))),
        () => {}
      )
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => client.removeAllListeners("ready")))
  })
