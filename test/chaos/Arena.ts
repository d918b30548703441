/**
 * Where a chaos run happens: a Redis of its own, workers in processes of their own, a caller, and wires between them that can
 * be harmed. Promises that all of it is gone when the scope is left, whatever was done to it.
 */
import { Effect, Layer, ManagedRuntime, Redacted } from "effect"
import { Redis as IORedis } from "ioredis"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import type { Engine } from "../../src/jobs/Engine.ts"
import { queues } from "../../src/jobs/JobQueue.ts"
import { Control } from "../../src/streams/Control.ts"
import { Redis, type RedisError } from "../../src/streams/Redis.ts"
import { StreamsLive } from "../../src/streams/Streams.ts"
import { makeWire, type Wire } from "../support/proxy.ts"
import { makeMember, type Member } from "./Fleet.ts"
import { Ledger } from "./Ledger.ts"
import { makeServer, type Server } from "./Server.ts"

export interface ArenaOptions {
  readonly workers: number
  readonly concurrency: number
  readonly leaseMs: number
  readonly fsync: "always" | "everysec"
}

export interface Arena extends AsyncDisposable {
  readonly options: ArenaOptions
  readonly namespace: string
  readonly server: Server
  /** A way to Redis that no verb harms (but the end of Redis itself): for those who look. */
  readonly redis: IORedis
  readonly members: ReadonlyArray<Member>
  /** The caller's wire. */
  readonly caller: Wire
  readonly ledger: Ledger
  /** Runs an effect of the caller. */
  readonly call: <A, E>(effect: Effect.Effect<A, E, Engine | Control>) => Promise<A>
  /** Steers the engine from a place that is not harmed; tries again while Redis is away. */
  readonly steer: <A>(f: (control: Control["Service"]) => Effect.Effect<A, RedisError>) => Promise<A>
  /** One at a time. */
  readonly alone: (act: () => Promise<void>) => Promise<void>
  /** Undoes whatever is still harmed. */
  readonly heal: () => Promise<void>
}

const clientOf = (url: string, namespace: string) =>
  ManagedRuntime.make(StreamsLive().pipe(Layer.provide(Redis.layer({ url: Redacted.make(url), namespace }))))

export const makeArena = async (options: ArenaOptions): Promise<Arena> => {
  const folder = mkdtempSync(join(tmpdir(), "loglytics-chaos-"))
  const namespace = "chaos"
  const fates = join(folder, "fates")
  mkdirSync(fates)
  const server = await makeServer(join(folder, "redis"), options.fsync)
  const ledger = new Ledger(join(folder, "ledger"))
  const { concurrency, leaseMs } = options
  const orders = { namespace, leaseMs, concurrency, ledger: ledger.file, folder: fates }
  const members = await Promise.all(
    Array.from({ length: options.workers }, (_, worker) => makeMember({ ...orders, worker }, server.url, ledger))
  )
  await Promise.all(members.map((member) => member.start()))
  const caller = await makeWire(server.url)
  const asking = clientOf(caller.url, namespace)
  const steering = clientOf(server.url, namespace)
  const redis = new IORedis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 })
  redis.on("error", () => {})
  let last = Promise.resolve()
  const steer: Arena["steer"] = async (f) => {
    for (;;) {
      const exit = await steering.runPromiseExit(Control.use(f))
      if (exit._tag === "Success") return exit.value
      await pause(50)
    }
  }
  return {
    options,
    namespace,
    server,
    redis,
    members,
    caller,
    ledger,
    call: (effect) => asking.runPromise(effect),
    steer,
    alone: (act) => (last = last.then(act, act)),
    heal: async () => {
      caller.mend()
      for (const member of members) {
        member.wire.mend()
        member.signal("SIGCONT")
        member.skew(0)
      }
      await Promise.all(members.map((member) => member.start()))
      for (const queue of queues) await steer((control) => control.resume(queue))
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(members.map((member) => (member.signal("SIGCONT"), member.kill())))
      for (const member of members) member.wire.close()
      await Promise.all([asking.dispose(), steering.dispose()])
      caller.close()
      redis.disconnect()
      await server.kill()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
