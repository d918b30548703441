/** The engine behind sentinels: they name the master, and after its death the engine goes on with the next. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Redis as IORedis } from "ioredis"
import { afterAll, beforeAll, describe } from "vitest"
import { openClient } from "../support/clean.ts"
import { binary, type Servers, sentinelSet } from "../support/servers.ts"
import { throughFailover, worker } from "./support.ts"

const passwords = { servers: "s3rver-pass", sentinels: "sent1nel-pass" }

describe.runIf(!binary.container).each([
  ["", undefined],
  [" that want passwords", passwords]
] as const)("a master, its replica and three sentinels%s", (_, wanted) => {
  let servers: Servers
  beforeAll(async () => {
    servers = await sentinelSet(wanted)
  })
  afterAll(() => servers.stop())

  it.live("a client that hears of a switch just while it connects begins anew, until it is closed", () =>
    Effect.promise(async () => {
      const client = (await openClient(servers.url)) as IORedis
      const heard = (event: string) => new Promise((resolve) => client.once(event, resolve))
      client.once("connecting", () => Reflect.get(client, "connector").disconnect())
      client.disconnect(true)
      await heard("end")
      await heard("ready")
      assert.strictEqual(await client.ping(), "PONG")
      client.disconnect()
      await heard("end")
      assert.strictEqual(client.status, "end")
    })
  )

  it.live(
    "kill -9 of the master amid work: every accepted job ends",
    () =>
      Effect.gen(function* () {
        const [lost, heir] = servers.nodes
        const { tookMs } = yield* throughFailover(lost!, heir!, () =>
          // Sentinels would make it a replica themselves, after eight seconds.
          lost!.client.call("REPLICAOF", "127.0.0.1", heir!.port)
        )
        assert.isTrue(tookMs < 15_000, `took ${tookMs} ms`)
      }).pipe(Effect.provide(worker(`${servers.url}${wanted ? "&" : "?"}replicas=1`, "t-sentinel"))),
    40_000
  )
})
