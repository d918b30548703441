/** The engine over TLS, and as a user who may do no more than docs/operate/redis.md says. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe } from "vitest"
import { Control, Engine, Flow, Inspect, Redis } from "../../src/engine.ts"
import { Live } from "../../src/streams/Live.ts"
import { LogStream } from "../../src/streams/LogStream.ts"
import { eventually } from "../support/engine.ts"
import { binary, oneServer, type Servers } from "../support/servers.ts"
import { client, Hang, High, Low, Middle, Sum, worker } from "./support.ts"

/** The line of the documentation, so that what is told is what is tried. */
const documented = (): string => {
  const text = readFileSync(join(import.meta.dirname, "../../docs/operate/redis.md"), "utf8")
  const line = /^user (loglytics on >PASSWORD .*)$/mu.exec(text)?.[1]
  if (line === undefined) throw new Error("docs/operate/redis.md: expected a line that starts with user loglytics")
  return line
}

const ping = Redis.use((redis) => redis.use("ping", (c) => c.ping()))
const failing = (url: string) =>
  Effect.flip(ping).pipe(Effect.provide(Redis.layer({ url: Redacted.make(url), namespace: "lg" })))

describe.runIf(!binary.container)("TLS and ACL", () => {
  let servers: Servers
  beforeAll(async () => {
    servers = await oneServer({ tls: true, user: documented() })
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
      // What was refused by the server and swallowed by us would stand here; CONFIG GET is left out on purpose.
      const refused = (yield* Effect.promise(() => servers.nodes[0]!.client.call("ACL", "LOG"))) as ReadonlyArray<
        ReadonlyArray<unknown>
      >
      const commands = refused.map((row) => row[row.indexOf("object") + 1]).filter((name) => name !== "config|get")
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
