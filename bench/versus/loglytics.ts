/** Ourselves: the engine by its public door, workers with as many permits as jobs that do nothing can use. */
import { Effect, Layer, ManagedRuntime, Schema } from "effect"
import { LocalWorker } from "../../src/actors/Worker.ts"
import { Control, Engine, type EnqueueOptions, layer, Task, Workers } from "../../src/engine.ts"
import type { Addition, Done, Peer, WorkOptions } from "./Peer.ts"

const Work = Task.make("work", {
  payload: { n: Schema.Int, text: Schema.String },
  result: Schema.Struct({ n: Schema.Int, at: Schema.Finite })
})

const bestConcurrency = 200

const optionsOf = ({ delayMs, priority }: Addition): EnqueueOptions | undefined =>
  delayMs === undefined && priority === undefined
    ? undefined
    : {
        ...(delayMs === undefined ? {} : { delay: delayMs }),
        ...(priority === undefined ? {} : { queue: `${priority}-priority` as const })
      }

const handler = (handle: WorkOptions["handle"]) =>
  Work.toLayer(
    Effect.succeed((payload) =>
      Effect.suspend(() => {
        const stop = new AbortController()
        const done = handle(payload, stop.signal)
        if (!(done instanceof Promise)) return Effect.succeed(done)
        return Effect.onInterrupt(
          Effect.promise(() => done),
          () => Effect.sync(() => stop.abort())
        )
      })
    )
  )

export const loglytics: Peer = {
  name: "loglytics",
  about: "200 permits, prefetch 8",
  cannot: {},
  call: async ({ redisUrl, room }) => {
    const runtime = ManagedRuntime.make(layer({ url: redisUrl, namespace: room, maxQueued: 4_000_000 }))
    const engine = await runtime.runPromise(Effect.service(Engine))
    const run = runtime.runPromise
    return {
      add: (addition) => run(engine.enqueue(Work.job(addition.payload), optionsOf(addition))),
      addMany: async (additions) => {
        const plain = additions.every((a) => a.delayMs === undefined && a.priority === undefined)
        if (plain) await run(engine.enqueueAll(additions.map((a) => Work.job(a.payload))))
        else {
          const each = additions.map((a) => engine.enqueue(Work.job(a.payload), optionsOf(a)))
          await run(Effect.all(each, { concurrency: "unbounded", discard: true }))
        }
      },
      result: (id) => run(engine.await(id)) as Promise<Done>,
      cancel: async (id) => void (await run(Control.use((control) => control.revoke(id)))),
      purge: async () => void (await run(Control.use((control) => control.purge("default")))),
      close: () => runtime.dispose()
    }
  },
  work: async ({ redisUrl, room }, { concurrency, defaults, handle }) => {
    const permits = concurrency ?? bestConcurrency
    const options = defaults ? { concurrency: permits } : { concurrency: permits, prefetchMultiplier: 8 }
    const runtime = ManagedRuntime.make(
      Workers.layer(options).pipe(
        Layer.provide(handler(handle)),
        Layer.provide(layer({ url: redisUrl, namespace: room, maxQueued: 4_000_000 }))
      )
    )
    const { desk } = await runtime.runPromise(Effect.service(LocalWorker))
    return { settled: () => desk.processed, stop: () => runtime.dispose() }
  }
}
