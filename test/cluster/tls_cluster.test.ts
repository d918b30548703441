/** TLS and a password together with a Cluster: each node by its certificate, also the one that takes over. */
import { assert, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { join } from "node:path"
import { afterAll, beforeAll, describe } from "vitest"
import { Control, Engine, Flow, Inspect } from "../../src/engine.ts"
import { eventually } from "../support/engine.ts"
import { binary, clusterOfSix, type Servers } from "../support/servers.ts"
import { client, Hang, High, Low, Middle, Sum, throughFailover, worker } from "./support.ts"

describe.runIf(!binary.container)("a Cluster that speaks TLS only and wants a password", () => {
  let servers: Servers
  beforeAll(async () => {
    servers = await clusterOfSix({ tls: { password: "cluster-pass" } })
  })
  afterAll(() => servers.stop())
  const url = (more = "") => `${servers.url}?ca=${join(servers.folder, "ca.crt")}${more}`

  it.live("a flow over three masters, and a revoke heard from another process", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const flow = Flow.all([Low.job({ n: 1 }), Middle.job({ n: 2 }), High.job({ n: 3 })]).andThen(Sum, {})
      assert.strictEqual(yield* Effect.flatMap(engine.enqueue(flow), (id) => engine.await(id)), 12)
      const hung = yield* Hang.enqueue({})
      yield* eventually(
        "it runs",
        Effect.map(
          Inspect.use((i) => i.job(hung)),
          (job) => job?.state === "running"
        )
      )
      yield* Control.use((c) => c.revoke(hung)).pipe(Effect.provide(client(url(), "t-tls")))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(engine.await(hung))))
    }).pipe(Effect.provide(worker(url(), "t-tls")))
  )

  it.live(
    "kill -9 of a master amid work: its replica takes over, and every accepted job ends",
    () =>
      Effect.gen(function* () {
        const [, lost, , , heir] = servers.nodes
        yield* throughFailover(lost!, heir!)
      }).pipe(Effect.provide(worker(url("&replicas=1"), "t-tls-failover"))),
    40_000
  )
})
