/** A beat in a process of its own, to be killed, with a clock that is wrong by BEAT_SKEW ms. */
import { Effect, Layer, Redacted, Schema } from "effect"
import * as Task from "../../src/jobs/Task.ts"
import * as Beat from "../../src/schedules/Beat.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { StreamsLive } from "../../src/streams/Streams.ts"

export const Tick = Task.make("tick", { payload: { n: Schema.Int } })
export const inCode = [Beat.every("1 second", "each_second", Tick.job({ n: 1 }))]

const namespace = process.env["BEAT_NAMESPACE"]
if (namespace !== undefined) {
  const skew = Number(process.env["BEAT_SKEW"] ?? 0)
  const Right = Date
  // oxlint-disable-next-line no-global-assign -- the wrong clock is the point
  globalThis.Date = class extends Right {
    constructor(at?: number | string) {
      super(at ?? Right.now() + skew)
    }
    static override now = () => Right.now() + skew
  } as DateConstructor
  const live = Beat.layer(inCode, { tasks: [Tick] }).pipe(
    Layer.provide(StreamsLive()),
    Layer.provide(Redis.layer({ url: Redacted.make(process.env["REDIS_URL"] ?? ""), namespace }))
  )
  const ready = Effect.sync(() => process.stdout.write("ready\n"))
  await Effect.runPromiseExit(Effect.andThen(ready, Effect.never).pipe(Effect.provide(live)))
}
