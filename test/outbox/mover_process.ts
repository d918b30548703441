/** A mover in a process of its own, to be killed. */
import { Effect, Layer, Redacted } from "effect"
import * as Outbox from "../../src/outbox/Outbox.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { StreamsLive } from "../../src/streams/Streams.ts"

const env = (name: string): string => process.env[name] ?? ""

const live = Outbox.layer({ url: env("DATABASE_URL"), table: env("OUTBOX_TABLE"), batchMax: 20 }).pipe(
  Layer.provide(StreamsLive()),
  Layer.provide(Redis.layer({ url: Redacted.make(env("REDIS_URL")), namespace: env("OUTBOX_NAMESPACE") }))
)
const ready = Effect.sync(() => process.stdout.write("ready\n"))
await Effect.runPromiseExit(Effect.andThen(ready, Effect.never).pipe(Effect.provide(live)))
