/**
 * Jobs drained per second, results kept: a queue is filled, then one process empties it. In the same run, round by round, a
 * raw Streams loop (read 500, handle, acknowledge in one call: no results, no retries, no fence) and BullMQ with the same
 * concurrency, results kept. Figures are medians; the load of the machine hits all of them alike.
 */
import { Effect, Layer, Redacted, Schema } from "effect"
import { Queue, Worker as BullWorker } from "bullmq"
import { Redis as IORedis } from "ioredis"
import { randomBytes } from "node:crypto"
import * as Workers from "../src/actors/Supervisor.ts"
import { Engine } from "../src/jobs/Engine.ts"
import * as Task from "../src/jobs/Task.ts"
import { Redis } from "../src/streams/Redis.ts"
import { StreamsLive } from "../src/streams/Streams.ts"
import { type Bench, type BenchOptions, figure, type Figure, median } from "./Bench.ts"

const rounds = 5
const concurrency = 200
const ours = 60_000
const raw = 60_000
const bull = 10_000
const filler = "x".repeat(70)

interface Speed {
  readonly enqueued: number
  readonly drained: number
}
const perSecond = (count: number, from: number): number => (count * 1_000) / (performance.now() - from)
const name = (what: string) => `bench-${what}-${randomBytes(4).toString("hex")}`

const Work = Task.make("work", {
  payload: { n: Schema.Int, text: Schema.String },
  result: Schema.Struct({ n: Schema.Int })
})

const loglytics = async (url: string): Promise<Speed> => {
  const namespace = name("loglytics")
  let left = ours
  let finish = () => {}
  const all = new Promise<void>((resolve) => (finish = resolve))
  const handler = Work.toLayer(
    Effect.succeed(({ n }) => {
      if (--left === 0) finish()
      return Effect.succeed({ n })
    })
  )
  const base = StreamsLive().pipe(Layer.provideMerge(Redis.layer({ url: Redacted.make(url), namespace })))
  const program = Effect.gen(function* () {
    const engine = yield* Engine
    const start = performance.now()
    for (let i = 0; i < ours; i += 1_000) {
      yield* engine.enqueueAll(Array.from({ length: 1_000 }, (_, k) => Work.job({ n: i + k, text: filler })))
    }
    const enqueued = perSecond(ours, start)
    const from = performance.now()
    yield* Effect.scoped(
      Effect.andThen(
        Layer.build(Workers.layer({ concurrency, prefetchMultiplier: 8 }).pipe(Layer.provide(handler))),
        // Leaving the scope drains: every result is written before the clock stops.
        Effect.promise(() => all)
      )
    )
    return { enqueued, drained: perSecond(ours, from) }
  })
  const speed = await Effect.runPromise(Effect.provide(program, base))
  await forget(url, namespace)
  return speed
}

const rawLoop = async (url: string): Promise<Speed> => {
  const key = name("raw")
  const client = new IORedis(url)
  const reader = new IORedis(url)
  await client.xgroup("CREATE", key, "g", "0", "MKSTREAM")
  const start = performance.now()
  for (let i = 0; i < raw; i += 128) {
    const pipeline = client.pipeline()
    for (let k = i; k < Math.min(raw, i + 128); k++)
      pipeline.xadd(key, "*", "payload", JSON.stringify({ n: k, text: filler }))
    await pipeline.exec()
  }
  const enqueued = perSecond(raw, start)
  const from = performance.now()
  let done = 0
  let acked: Promise<unknown> = Promise.resolve()
  while (done < raw) {
    const got = (await reader.xreadgroup("GROUP", "g", "c", "COUNT", 500, "STREAMS", key, ">")) as ReadonlyArray<
      readonly [string, ReadonlyArray<readonly [string, ReadonlyArray<string>]>]
    > | null
    const entries = got?.[0]?.[1] ?? []
    const results = entries.map(([, fields]) => (JSON.parse(fields[1] ?? "{}") as { readonly n: number }).n)
    await acked
    acked = client.xack(key, "g", ...entries.map((e) => e[0]))
    done += results.length
  }
  await acked
  const drained = perSecond(raw, from)
  await client.del(key)
  client.disconnect()
  reader.disconnect()
  return { enqueued, drained }
}

const bullmq = async (url: string): Promise<Speed> => {
  const prefix = name("bull")
  const connection = { url, maxRetriesPerRequest: null }
  const queue = new Queue("work", { connection, prefix })
  await queue.waitUntilReady()
  const start = performance.now()
  for (let i = 0; i < bull; i += 1_000) {
    await queue.addBulk(Array.from({ length: 1_000 }, (_, k) => ({ name: "work", data: { n: i + k, text: filler } })))
  }
  const enqueued = perSecond(bull, start)
  const from = performance.now()
  let left = bull
  await new Promise<void>((resolve) => {
    const worker = new BullWorker("work", async (job: { data: { n: number } }) => ({ n: job.data.n }), {
      connection,
      prefix,
      concurrency
    })
    worker.on("completed", () => {
      if (--left === 0) void worker.close().then(resolve)
    })
  })
  const drained = perSecond(bull, from)
  await queue.close()
  await forget(url, prefix)
  return { enqueued, drained }
}

/** Removes what a round has left behind. */
const forget = async (url: string, prefix: string): Promise<void> => {
  const client = new IORedis(url)
  for await (const keys of client.scanStream({ match: `${prefix}:*`, count: 1_000 }) as AsyncIterable<Array<string>>) {
    if (keys.length > 0) await client.unlink(...keys)
  }
  client.disconnect()
}

const peers: Readonly<Record<string, (url: string) => Promise<Speed>>> = { raw: rawLoop, bullmq }

const run = async (o: BenchOptions): Promise<ReadonlyArray<Figure>> => {
  const chosen = Object.entries(peers).filter(([peer]) => o.vs === undefined || o.vs === peer)
  const mine: Array<Speed> = []
  const theirs = new Map<string, Array<Speed>>(chosen.map(([peer]) => [peer, []]))
  // The first round warms every contestant up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const speed = await loglytics(o.redisUrl)
    const told = [`loglytics ${Math.round(speed.drained).toLocaleString("en")}/s`]
    if (round > 0) mine.push(speed)
    for (const [peer, measure] of chosen) {
      const other = await measure(o.redisUrl)
      if (round > 0) theirs.get(peer)?.push(other)
      told.push(`${peer} ${Math.round(other.drained).toLocaleString("en")}/s`)
    }
    o.log(`${round === 0 ? "warm-up" : `round ${round}`}: ${told.join(", ")}`)
  }
  const out: Array<Figure> = []
  for (const metric of ["drained", "enqueued"] as const) {
    const value = median(mine.map((s) => s[metric]))
    if (chosen.length === 0) out.push(figure("throughput", metric, "jobs/s", value))
    for (const [peer] of chosen) {
      const other = { name: peer, value: median((theirs.get(peer) ?? []).map((s) => s[metric])) }
      out.push(figure("throughput", metric, "jobs/s", value, other))
    }
  }
  return out
}

export const throughput: Bench = {
  name: "throughput",
  about: "jobs drained and enqueued per second in one process, results kept",
  peers: Object.keys(peers),
  run
}
