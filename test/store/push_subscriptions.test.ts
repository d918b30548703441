import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { createECDH, randomBytes } from "node:crypto"
import { defaultProject } from "../../src/domain/Project.ts"
import { Database } from "../../src/store/Database.ts"
import { PushSubscriptions } from "../../src/store/PushSubscriptions.ts"
import { storeLayer } from "../support/postgres.ts"

const live = storeLayer({ secretKeys: [Redacted.make(randomBytes(32).toString("hex"))] })
const browser = (name: string) => ({
  browser: { endpoint: `https://push.example.com/${name}`, keys: { p256dh: "p".repeat(87), auth: "a".repeat(22) } }
})

describe("push subscriptions", () => {
  it.effect("make one key for everybody, whoever asks first, and keep it sealed", () =>
    Effect.gen(function* () {
      const { keys } = yield* PushSubscriptions
      const made = yield* Effect.all(
        Array.from({ length: 8 }, () => keys),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(made.map(({ publicKey }) => publicKey)).size, 1)
      const { privateKey, publicKey } = made[0]!
      const pair = createECDH("prime256v1")
      pair.setPrivateKey(Buffer.from(privateKey, "base64url"))
      assert.strictEqual(pair.getPublicKey("base64url"), publicKey)
      const database = yield* Database
      const rows = yield* database.query("test", (sql) => sql`select * from push_keys`)
      assert.notInclude(JSON.stringify(rows), Buffer.from(privateKey, "base64url").toString("hex"))
    }).pipe(Effect.provide(live))
  )

  it.effect("keep an address once, sealed, and give it back whole", () =>
    Effect.gen(function* () {
      const subscriptions = yield* PushSubscriptions
      const first = yield* subscriptions.add(defaultProject, browser("one"), null)
      const again = yield* subscriptions.add(defaultProject, browser("one"), "anna")
      yield* subscriptions.add(defaultProject, { token: "device-token-0123456789" }, null)
      assert.strictEqual(first!.id, again!.id)
      const opened = yield* subscriptions.open(defaultProject)
      assert.deepStrictEqual(
        new Map(opened.map(({ person, to }) => [person, to])),
        new Map<string | null, unknown>([
          ["anna", browser("one")],
          [null, { token: "device-token-0123456789" }]
        ])
      )
      const database = yield* Database
      const rows = yield* database.query("test", (sql) => sql`select * from push_subscriptions`)
      assert.notInclude(JSON.stringify(rows), "push.example.com/one")
      assert.isTrue(yield* subscriptions.remove(defaultProject, first!.id))
      assert.isFalse(yield* subscriptions.remove(defaultProject, first!.id))
      assert.isTrue(yield* subscriptions.removeAddress(defaultProject, "device-token-0123456789"))
      assert.deepStrictEqual(yield* subscriptions.list(defaultProject), [])
    }).pipe(Effect.provide(live))
  )
})
