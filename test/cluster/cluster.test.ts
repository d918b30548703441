/**
 * The engine on a real Cluster of six: its promises where each queue has a master of its own, and through the death of one
 * of them. What a test says is accepted is held by a replica (`?replicas=1`), so that the failover loses none of it.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer } from "effect"
import { afterAll, beforeAll, describe } from "vitest"
import { Control, Engine, Flow, Inspect, Redis } from "../../src/engine.ts"
import { queues } from "../../src/jobs/JobQueue.ts"
import { masters } from "../../src/streams/Connect.ts"
import { keysOf } from "../../src/streams/Keys.ts"
import { Live } from "../../src/streams/Live.ts"
import { LogStream } from "../../src/streams/LogStream.ts"
import { eventually } from "../support/engine.ts"
import { binary, clusterOfSix, type Servers } from "../support/servers.ts"
import { client, Hang, High, Low, Middle, Sum, three, throughFailover, worker } from "./support.ts"

const namespace = "t-cluster"
let servers: Servers
// In a container a server could not tell the others its ports.
const here = !binary.container

const stateOf = (id: string) =>
  Effect.map(
    Inspect.use((i) => i.job(id)),
    (job) => job?.state
  )

describe.runIf(here)("a Redis Cluster", () => {
  beforeAll(async () => {
    servers = await clusterOfSix()
  })
  afterAll(() => servers.stop())

  it.live("gives each queue a master of its own", () =>
    Effect.gen(function* () {
      const redis = yield* Redis
      const owners = yield* redis.use("owners", async (shared) => {
        assert.strictEqual(masters(shared).length, 3)
        const found = new Set<string>()
        for (const queue of queues) {
          const key = keysOf(namespace).queue(queue).jobs
          for (const node of masters(shared)) {
            const owns = await node.exists(key).then(
              () => true,
              () => false
            )
            if (owns) found.add(String(node.options.port))
          }
        }
        return found
      })
      assert.strictEqual(owners.size, 3)
    }).pipe(Effect.provide(client(servers.url, namespace)))
  )

  it.live("runs, delays, joins, revokes, pauses and counts as one server does", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const control = yield* Control
      const inspect = yield* Inspect
      // Bulk over all queues, each awaited.
      const jobs = Array.from({ length: 90 }, (_, n) => three[n % 3]!.job({ n }))
      const ids = yield* engine.enqueueAll(jobs)
      const results = yield* Effect.forEach(ids, (id) => engine.await(id), { concurrency: "unbounded" })
      assert.deepStrictEqual(
        results,
        jobs.map((_, n) => n * 2)
      )
      const asked = Date.now()
      assert.strictEqual(yield* High.run({ n: 4 }, { delay: "150 millis" }), 8)
      assert.isTrue(Date.now() - asked >= 145)
      // Members in three slots, what follows in one of them.
      const flow = Flow.all([Low.job({ n: 1 }), Middle.job({ n: 2 }), High.job({ n: 3 })]).andThen(Sum, {})
      assert.strictEqual(yield* Effect.flatMap(engine.enqueue(flow), (id) => engine.await(id)), 12)
      // A fiber is interrupted by another process.
      const hung = yield* Hang.enqueue({})
      yield* eventually(
        "it runs",
        Effect.map(stateOf(hung), (state) => state === "running")
      )
      yield* Control.use((c) => c.revoke(hung)).pipe(Effect.provide(client(servers.url, namespace)))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(engine.await(hung))))
      assert.strictEqual(yield* stateOf(hung), "cancelled")
      // A paused queue keeps its jobs; a purge takes them and leaves lag true.
      yield* control.pause("low-priority")
      const low = Effect.map(inspect.queues, (rows) => rows.find((row) => row.name === "low-priority"))
      yield* eventually(
        "it is paused",
        Effect.map(low, (row) => row?.paused)
      )
      yield* engine.enqueueAll(Array.from({ length: 100 }, (_, n) => Low.job({ n })))
      yield* control.purge("low-priority")
      yield* control.resume("low-priority")
      assert.strictEqual((yield* low)?.backlog, 0)
      assert.strictEqual(yield* Low.run({ n: 7 }), 14)
      yield* eventually(
        "nothing is left",
        Effect.map(inspect.queues, (rows) => rows.every((row) => row.backlog === 0 && row.inFlight === 0))
      )
      assert.isTrue((yield* inspect.recent({ limit: 200 })).length > 90)
      assert.strictEqual((yield* inspect.workers).length, 1)
    }).pipe(Effect.provide(worker(servers.url, namespace)))
  )

  it.live("carries lines of logs and what people watch", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const logs = yield* LogStream
        const live = yield* Live
        for (let n = 0; n < 20; n++) {
          yield* logs.append({ id: `b${n}`, project: `p${n}`, receivedAt: 1, lines: [`line ${n}`] }, { remember: true })
        }
        let read = 0
        for (let partition = 0; partition < logs.partitions; partition++) {
          const owned = yield* logs.own(partition, "me")
          const entries = (yield* owned?.read(100, 10) ?? Effect.succeed([])) ?? []
          read += entries.length
          if (entries.length > 0) yield* owned!.commit(entries, new Map([["state", String(entries.length)]]))
        }
        assert.strictEqual(read, 20)
        assert.strictEqual(
          (yield* logs.depth).reduce((sum, depth) => sum + depth.backlog, 0),
          0
        )
        const heard: Array<unknown> = []
        const following = yield* Effect.forkChild(live.follow((p) => heard.push(...p.data)))
        yield* live.watchTail("p1")
        assert.deepStrictEqual([...(yield* live.tailed(["p1", "p2"]))], ["p1"])
        yield* Effect.andThen(live.publish("tail", "p1", ["hello"]), Effect.sleep(20)).pipe(
          Effect.repeat({ until: () => heard.length > 0, times: 200 })
        )
        assert.strictEqual(heard[0], "hello")
        yield* Fiber.interrupt(following)
      })
    ).pipe(
      Effect.provide(
        Layer.mergeAll(
          LogStream.layer({ partitions: 4, batchesMax: 100, bytesMax: 1_000_000, rememberMs: 60_000, leaseMs: 5_000 }),
          Live.layer
        ).pipe(Layer.provideMerge(client(servers.url, namespace)))
      )
    )
  )

  it.live(
    "kill -9 of a master amid work: its replica takes over, and every accepted job ends",
    () =>
      Effect.gen(function* () {
        const [, lost, , , heir] = servers.nodes
        yield* throughFailover(lost!, heir!)
        // A revoke still arrives: the channel is heard on another node, if it was that one.
        const hung = yield* Hang.enqueue({})
        yield* eventually(
          "it runs",
          Effect.map(stateOf(hung), (state) => state === "running")
        )
        yield* Control.use((c) => c.revoke(hung))
        assert.isTrue(Exit.isFailure(yield* Effect.exit(Engine.use((engine) => engine.await(hung)))))
      }).pipe(Effect.provide(worker(`${servers.url}?replicas=1`, `${namespace}-failover`))),
    40_000
  )
})
