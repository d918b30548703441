/**
 * What every process of Loglytics needs of the engine: to enqueue, wait, look, steer and listen. Promises that the three
 * streams and their groups exist from boot on, so that XINFO never errs. Running jobs is the matter of the actors.
 */
import { Effect, Layer, Schedule } from "effect"
import { Engine } from "../jobs/Engine.ts"
import { queues } from "../jobs/JobQueue.ts"
import { Registry } from "../jobs/Registry.ts"
import { Control } from "./Control.ts"
import { DeadLetters } from "./DeadLetters.ts"
import { Events } from "./Events.ts"
import { Inspect } from "./Inspect.ts"
import * as JobQueues from "./JobQueues.ts"
import { keysOf } from "./Keys.ts"
import * as Limits from "./Limits.ts"
import { Redis } from "./Redis.ts"
import { Waiters } from "./Results.ts"
import * as Port from "./Port.ts"
import * as Sender from "./Sender.ts"
import { Results } from "./Status.ts"

const EngineLive = (limits: Limits.Limits) =>
  Layer.effect(
    Engine,
    Effect.gen(function* () {
      const redis = yield* Redis
      const events = yield* Events
      const registry = yield* Registry
      const waiters = new Waiters(redis.client, redis.namespace, events)
      yield* Effect.addFinalizer(() => Effect.sync(() => waiters.close()))
      const keys = keysOf(redis.namespace)
      yield* redis
        .use("group", (client) => Promise.all(queues.map((q) => JobQueues.ensureGroup(client, keys.queue(q)))))
        .pipe(
          Effect.retry(Schedule.spaced("200 millis").pipe(Schedule.upTo({ times: 10 }))),
          Effect.catch((error) => Effect.logWarning("groups not made at boot; workers make them", error.message))
        )
      yield* warnOfEviction
      const sender = new Sender.Sender(redis.client, redis.namespace, limits)
      yield* Effect.addFinalizer(() =>
        Effect.timeoutOption(
          Effect.promise(() => sender.close()),
          "1 second"
        )
      )
      return Port.engine(sender, waiters, registry)
    })
  )

/** A server that evicts keys under pressure loses jobs: said loudly. Servers that refuse CONFIG say nothing. */
const warnOfEviction = Effect.gen(function* () {
  const redis = yield* Redis
  const [, policy] = yield* redis.use(
    "config",
    (client) => client.config("GET", "maxmemory-policy") as Promise<ReadonlyArray<string>>
  )
  if (policy !== undefined && policy !== "noeviction") {
    yield* Effect.logWarning(
      `Redis evicts keys under memory pressure (maxmemory-policy ${policy}): jobs can be lost; set noeviction`
    )
  }
}).pipe(Effect.ignore)

/** The client side of the engine on Redis Streams. */
export const StreamsLive = (
  limits: Partial<Limits.Limits> = {}
): Layer.Layer<Engine | Registry | Events | Inspect | Control | DeadLetters | Results, never, Redis> =>
  Layer.mergeAll(
    EngineLive({ ...Limits.defaults, ...limits }),
    Inspect.layer,
    Control.layer,
    DeadLetters.layer,
    Results.layer
  ).pipe(Layer.provideMerge(Layer.mergeAll(Events.layer, Registry.layer)))
