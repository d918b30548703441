/** The engine over TLS, and as a user who may do no more than docs/operate/redis.md says. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe } from "vitest"
import { Control, Engine, Flow, Inspect, look, Redis } from "../../src/engine.ts"
import { Live } from "../../src/streams/Live.ts"
import { LogStream } from "../../src/streams/LogStream.ts"
import { eventually } from "../support/engine.ts"
import { binary, oneServer, type Servers } from "../support/servers.ts"
import { client, Hang, High, Low, Middle, Sum, worker } from "./support.ts"

/** The line of the documentation, so that what is told is what is tried. */
const documented = (user: "loglytics" | "viewer"): string => {
  const text = readFileSync(join(import.meta.dirname, "../../docs/operate/redis.md"), "utf8")
  const line = new RegExp(`^user (${user} on >PASSWORD .*)$`, "mu").exec(text)?.[1]
  if (line === undefined) throw new Error(`docs/operate/redis.md: expected a line that starts with user ${user}`)
  return line
}

const cli = join(import.meta.dirname, "../../src/cli/main.ts")

/** What was refused by the server and perhaps swallowed by us. */
const refusals = async (servers: Servers): Promise<ReadonlyArray<unknown>> => {
  const rows = (await servers.nodes[0]!.client.call("ACL", "LOG")) as ReadonlyArray<ReadonlyArray<unknown>>
  return rows.map((row) => row[row.indexOf("object") + 1])
}

const ping = Redis.use((redis) => redis.use("ping", (c) => c.ping()))
const failing = (url: string) =>
  Effect.flip(ping).pipe(Effect.provide(Redis.layer({ url: Redacted.make(url), namespace: "lg" })))

describe.runIf(!binary.container)("TLS and ACL", () => {
  let servers: Servers
  beforeAll(async () => {
    servers = await oneServer({ tls: true, user: documented("loglytics") })
  })
  afterAll(() => servers.stop())
  const url = (user = "loglytics:PASSWORD@", options = `?ca=${join(servers.folder, "ca.crt")}`) =>
    servers.url.replace("://", `://${user}`) + options

  it.live("the documented rights are enough for all the engine does", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const control = yield* Control
      const inspect = yield* Inspect
      const redis = yield* Redis
      yield* redis.use("whoami", (c) => c.ping())
      const flow = Flow.all([Low.job({ n: 1 }), Middle.job({ n: 2 }), High.job({ n: 3 })]).andThen(Sum, {})
      assert.strictEqual(yield* Effect.flatMap(engine.enqueue(flow), (id) => engine.await(id)), 12)
      assert.strictEqual(yield* High.run({ n: 4 }, { delay: "30 millis" }), 8)
      const hung = yield* Hang.enqueue({})
      yield* eventually(
        "it runs",
        Effect.map(inspect.job(hung), (job) => job?.state === "running")
      )
      assert.strictEqual(yield* control.revoke(hung), "requested")
      yield* eventually(
        "it is cancelled",
        Effect.map(inspect.job(hung), (job) => job?.state === "cancelled")
      )
      yield* control.pause("low-priority")
      yield* control.purge("low-priority")
      yield* control.resume("low-priority")
      assert.strictEqual((yield* inspect.stats).workers, 1)
      const logs = yield* LogStream
      yield* logs.append({ id: "b", project: "p", receivedAt: 1, lines: ["l"] }, { remember: true })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const owned = yield* logs.own(0, "me")
          const entries = yield* owned!.read(10, 10)
          yield* owned!.commit(entries, new Map([["a", "b"]]))
        })
      )
      const live = yield* Live
      yield* live.watchTail("p")
      yield* live.publish("tail", "p", ["hello"])
      assert.strictEqual((yield* live.tailed(["p"])).size, 1)
      // CONFIG GET is left out on purpose.
      const commands = (yield* Effect.promise(() => refusals(servers))).filter((name) => name !== "config|get")
      assert.deepStrictEqual(commands, [])
    }).pipe(
      Effect.provide(
        Layer.mergeAll(
          LogStream.layer({ partitions: 1, batchesMax: 100, bytesMax: 1_000_000, rememberMs: 60_000, leaseMs: 5_000 }),
          Live.layer
        ).pipe(Layer.provideMerge(worker(url(), "lg")))
      )
    )
  )

  it.live("refuses another prefix, a wrong password and an unknown authority, and says so", () =>
    Effect.gen(function* () {
      const other = yield* Effect.flip(Middle.enqueue({ n: 1 })).pipe(Effect.provide(client(url(), "other")))
      assert.match(String((other as { cause?: unknown }).cause), /NOPERM/u)
      const wrong = yield* failing(url("loglytics:hunter2@"))
      assert.match(wrong.message, /WRONGPASS/u)
      assert.isFalse(wrong.retryable)
      const unknown = yield* failing(url(undefined, ""))
      assert.match(unknown.message, /certificate/iu)
    })
  )
})

describe.runIf(!binary.container)("a port that does not speak TLS", () => {
  let servers: Servers
  beforeAll(async () => {
    servers = await oneServer()
  })
  afterAll(() => servers.stop())

  it.live("is told soon, in words that say what is wrong", () =>
    Effect.gen(function* () {
      const asked = performance.now()
      const error = yield* failing(servers.url.replace("redis:", "rediss:"))
      assert.match(error.message, /answers without TLS: expected redis:\/\//u)
      assert.isBelow(performance.now() - asked, 6_000)
    })
  )
})

describe.runIf(!binary.container)("a user who may only read", () => {
  let servers: Servers
  beforeAll(async () => {
    servers = await oneServer({ user: documented("viewer") })
  })
  afterAll(() => servers.stop())

  it.live("looks at everything, and makes nothing", () =>
    Effect.gen(function* () {
      const url = servers.url.replace("://", "://viewer:PASSWORD@")
      const admin = servers.url.replace("://", "://admin:admin@")
      const looks = Effect.gen(function* () {
        const inspect = yield* Inspect
        const rows = yield* Effect.all([inspect.queues, inspect.workers, inspect.scheduled, inspect.reserved])
        yield* Effect.all([inspect.recent(), inspect.revoked, inspect.settings, inspect.stats, inspect.lastEvent])
        return rows
      }).pipe(Effect.provide(look({ url })))
      const status = Effect.promise(
        () =>
          new Promise<string>((done, fail) =>
            execFile(process.execPath, [cli, "status"], { env: { ...process.env, REDIS_URL: url } }, (error, out) =>
              error === null ? done(out) : fail(error)
            )
          )
      )
      // Nothing is there yet.
      yield* looks
      assert.match(yield* status, /high-priority/u)
      assert.strictEqual(yield* Effect.promise(() => servers.nodes[0]!.client.dbsize()), 0)
      yield* Effect.gen(function* () {
        const id = yield* Hang.enqueue({})
        const later = yield* Low.enqueue({ n: 1 }, { delay: "1 hour" })
        yield* eventually(
          "it runs",
          Effect.map(
            Inspect.use((i) => i.job(id)),
            (job) => job?.state === "running"
          )
        )
        const [queues, workers, scheduled] = yield* looks
        assert.strictEqual(queues.find(({ name }) => name === "default")?.inFlight, 1)
        assert.strictEqual(workers.length, 1)
        assert.deepStrictEqual(
          scheduled.map((row) => row.id),
          [later]
        )
        assert.match(yield* status, /default +0 +1/u)
      }).pipe(Effect.provide(worker(admin, "lg")))
      assert.deepStrictEqual(yield* Effect.promise(() => refusals(servers)), [])
    })
  )
})
