/** Connections: sealed credentials, the fence between pollers, back-off, and the page on its way. */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import type { ConnectionId } from "../../src/domain/Ids.ts"
import { defaultProject } from "../../src/domain/Project.ts"
import { Connections } from "../../src/store/Connections.ts"
import { Database } from "../../src/store/Database.ts"
import { Vault } from "../../src/store/Vault.ts"
import { storeLayer } from "../support/postgres.ts"

const oldKey = Redacted.make("o".repeat(32))
const newKey = Redacted.make("n".repeat(32))
const secrets = Redacted.make({ access_key_id: "AKIA", secret_access_key: "very-secret-key" })

const make = Effect.flatMap(Connections, (connections) =>
  connections.create({
    project: defaultProject,
    name: "aws",
    kind: "cloudwatch",
    config: { region: "eu-west-1", n: 1 },
    secrets
  })
)
const open = (id: ConnectionId) =>
  Effect.gen(function* () {
    const found = yield* (yield* Connections).open(id)
    if (found === undefined) return yield* Effect.die("expected a connection")
    return found
  })
const raw = Effect.flatMap(Database, (database) =>
  database.query(
    "test.raw",
    (sql) => sql`select row_to_json(c)::text as a from connections c union all
    select row_to_json(p)::text from connection_pages p union all
    select encode(secrets, 'escape') from connections union all select encode(body, 'escape') from connection_pages`
  )
)

layer(storeLayer({ secretKeys: [oldKey] }))("connections", (it) => {
  it.effect("gives credentials back, and keeps nothing readable", () =>
    Effect.gen(function* () {
      const made = yield* make
      assert.deepStrictEqual(made.secretNames, ["access_key_id", "secret_access_key"])
      assert.strictEqual(made.state, "ok")
      assert.notInclude(JSON.stringify(made), "very-secret-key")
      const connections = yield* Connections
      const { version } = yield* open(made.id)
      yield* connections.keep(made.id, version, { cursor: "c1", lines: ["a line with password=hunter22"], lagMs: 5 })
      const text = JSON.stringify(yield* raw)
      assert.notInclude(text, "very-secret-key")
      assert.notInclude(text, "hunter22")
      const found = yield* open(made.id)
      assert.deepStrictEqual(Redacted.value(found.secrets), Redacted.value(secrets))
      assert.deepStrictEqual(found.page?.lines, ["a line with password=hunter22"])
      assert.notInclude(String(found.secrets) + JSON.stringify(found), "very-secret-key")
      assert.isTrue(yield* connections.remove(made.id))
      assert.isUndefined(yield* connections.open(made.id))
    })
  )

  it.effect("lets one of two pollers go on, and keeps a page until it is settled", () =>
    Effect.gen(function* () {
      const connections = yield* Connections
      const { id } = yield* make
      const [one, two] = [yield* open(id), yield* open(id)]
      const kept = yield* connections.keep(id, one.version, { cursor: "c1", lines: ["a", "b"], lagMs: 0 })
      assert.isUndefined(yield* connections.keep(id, two.version, { cursor: "c2", lines: ["a", "b"], lagMs: 0 }))
      const found = yield* open(id)
      assert.deepStrictEqual([found.cursor, found.page?.lines, found.connection.lines], ["c1", ["a", "b"], 2])
      // Who finds the page must put it on the stream first.
      assert.isUndefined(yield* connections.keep(id, found.version, { cursor: "c3", lines: [], lagMs: 0 }))
      assert.strictEqual(found.page?.key, kept?.page.key)
      yield* connections.settle(id, found.page?.key ?? "")
      const next = yield* connections.keep(id, found.version, { cursor: "c3", lines: ["c"], lagMs: 0 })
      assert.notStrictEqual(next?.page.key, kept?.page.key)
      // Said twice, or late: the newer page stays.
      yield* connections.settle(id, kept?.page.key ?? "")
      assert.deepStrictEqual((yield* open(id)).page?.lines, ["c"])
      yield* connections.remove(id)
    })
  )

  it.effect("waits after a failure, and is woken by a change", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-11-01T00:00:00Z"))
      const connections = yield* Connections
      const { id } = yield* make
      const now = Date.parse("2026-11-01T00:00:00Z")
      const due = (at: number) => Effect.map(connections.due(at), (all) => all.map((one) => one.id))
      assert.deepStrictEqual(yield* due(now), [id])
      yield* connections.saveError(id, "expected an answer, got none", now + 30_000)
      const failing = yield* connections.get(id)
      assert.deepStrictEqual(
        [failing?.state, failing?.failures, failing?.lastError, failing?.nextPollAt],
        ["failing", 1, "expected an answer, got none", "2026-11-01T00:00:30.000Z"]
      )
      assert.deepStrictEqual([yield* due(now + 29_999), yield* due(now + 30_000)], [[], [id]])
      const changed = yield* connections.change(id, { config: { region: "eu-west-2" } })
      assert.deepStrictEqual([changed?.config, changed?.nextPollAt], [{ region: "eu-west-2" }, null])
      const before = yield* open(id)
      yield* connections.keep(id, before.version, { cursor: "c", lines: [], lagMs: 7 })
      const well = yield* connections.get(id)
      assert.deepStrictEqual([well?.state, well?.failures, well?.lastError, well?.lagMs], ["ok", 0, null, 7])
      assert.strictEqual((yield* connections.change(id, { active: false }))?.state, "paused")
      assert.deepStrictEqual(yield* due(now + 1e9), [])
      assert.strictEqual((yield* open(id)).cursor, "c")
      yield* connections.change(id, { active: true, restart: true, secrets: Redacted.make({}) })
      const anew = yield* open(id)
      assert.deepStrictEqual([anew.cursor, Redacted.value(anew.secrets), anew.connection.secretNames], [null, {}, []])
      // A poll that began before the change keeps nothing.
      assert.isUndefined(yield* connections.keep(id, before.version + 1, { cursor: "x", lines: ["x"], lagMs: 0 }))
      yield* connections.remove(id)
    })
  )

  it.effect("seals by the new key what the old one had sealed, and says which key is missing", () =>
    Effect.gen(function* () {
      const { id } = yield* make
      const database = yield* Database
      const within = (keys: ReadonlyArray<Redacted.Redacted>) =>
        Effect.flatMap(Connections, (connections) => connections.secretsOf(id)).pipe(
          Effect.provide(
            Layer.fresh(Connections.layer).pipe(Layer.provide([Vault.layer(keys), Layer.succeed(Database, database)]))
          )
        )
      const missing = yield* Effect.flip(within([newKey]))
      assert.match(missing.message, /^expected the key [0-9a-f]{12} in LOGLYTICS_SECRET_KEY, got [0-9a-f]{12}/u)
      for (const keys of [[newKey, oldKey], [newKey]]) {
        const found = yield* within(keys)
        assert.deepStrictEqual(found && Redacted.value(found), Redacted.value(secrets))
      }
    })
  )
})
