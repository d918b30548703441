import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { ApiKeyId, LogFileId, NotificationId, ProjectId } from "../../src/domain/Ids.ts"
import { defaultProject, ownProject } from "../../src/domain/Project.ts"
import { ApiKeys } from "../../src/store/ApiKeys.ts"
import { Database } from "../../src/store/Database.ts"
import { LogFiles } from "../../src/store/LogFiles.ts"
import { Notifications } from "../../src/store/Notifications.ts"
import { Projects, slug } from "../../src/store/Projects.ts"
import { storeLayer } from "../support/postgres.ts"

layer(storeLayer())("projects", (it) => {
  it.effect("two exist from the start; names become ids; an id is given once", () =>
    Effect.gen(function* () {
      const projects = yield* Projects
      const made = yield* projects.create({ name: "Café & Shop №1" })
      assert.strictEqual(made.id, "cafe-shop-no1")
      assert.deepStrictEqual(yield* projects.get(made.id), made)
      const ids = (yield* projects.list).map((project) => project.id)
      assert.deepStrictEqual(ids, [made.id, defaultProject, ownProject])
      const again = yield* Effect.flip(projects.create({ id: made.id, name: "other" }))
      assert.strictEqual(again._tag, "ProjectExists")
      assert.strictEqual((yield* Effect.flip(projects.create({ name: "日本" })))._tag, "ProjectNameUnusable")
      assert.isUndefined(yield* projects.get(ProjectId.make("nobody")))
    })
  )

  it.effect("a slug is an id or nothing", () =>
    Effect.sync(() => {
      assert.strictEqual(slug(`--${"x".repeat(62)}--y`), "x".repeat(62))
      assert.isUndefined(slug("--"))
    })
  )
})

layer(storeLayer())("api keys", (it) => {
  it.effect("a secret opens until its key is withdrawn, and is nowhere in the database", () =>
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const { key, secret } = yield* keys.create({ name: "shipper", role: "project", project: defaultProject })
      assert.match(secret, /^lg_[0-9A-Za-z]{32}$/u)
      assert.deepStrictEqual(yield* keys.verify(secret), key)
      assert.isUndefined(yield* keys.verify(`${secret}x`))
      assert.isUndefined(yield* keys.verify(""))
      const database = yield* Database
      const [row] = yield* database.query("test", (sql) => sql`select to_jsonb(k)::text as all from api_keys k`)
      assert.notInclude(row!["all"], secret.slice(8))
      assert.deepStrictEqual(yield* keys.list(defaultProject), [key])
      assert.deepStrictEqual(yield* keys.list(ownProject), [])
      assert.isTrue(yield* keys.revoke(key.id))
      assert.isUndefined(yield* keys.verify(secret))
      assert.isFalse(yield* keys.revoke(ApiKeyId.make("key_none")))
    })
  )

  it.effect("an answer holds ten seconds, expiry counts at once", () =>
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const database = yield* Database
      const { key, secret } = yield* keys.create({ name: "short", role: "admin", project: null, expiresAt: 60_000 })
      assert.deepStrictEqual(yield* keys.verify(secret), key)
      yield* database.query("test", (sql) => sql`delete from api_keys where id = ${key.id}`)
      yield* TestClock.adjust("9 seconds")
      assert.isDefined(yield* keys.verify(secret))
      yield* TestClock.adjust("2 seconds")
      assert.isUndefined(yield* keys.verify(secret))
      const brief = yield* keys.create({ name: "brief", role: "admin", project: null, expiresAt: 12_000 })
      assert.isDefined(yield* keys.verify(brief.secret))
      yield* TestClock.adjust("1 second")
      assert.isUndefined(yield* keys.verify(brief.secret))
    })
  )

  it.effect("a secret of the operator's own is an admin key, made once", () =>
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const secret = "a secret from the environment"
      const [one, two] = yield* Effect.all([keys.ensureAdmin(secret, "first"), keys.ensureAdmin(secret, "first")], {
        concurrency: 2
      })
      assert.strictEqual(one.id, two.id)
      assert.strictEqual((yield* keys.verify(secret))?.role, "admin")
      assert.strictEqual(one.prefix, "a secre")
    })
  )
})

layer(storeLayer())("files, notifications", (it) => {
  it.effect("a file goes through its states and keeps its figures", () =>
    Effect.gen(function* () {
      const files = yield* LogFiles
      const file = yield* files.create({ project: defaultProject, name: "app.log", bytes: 12 })
      assert.deepStrictEqual([file.status, file.lines, file.bytes, file.processedAt], ["uploaded", 0, 12, null])
      yield* files.setStatus(file.id, { status: "processing" })
      const failed = yield* files.setStatus(file.id, { status: "failed", error: "no such encoding" })
      assert.strictEqual(failed?.error, "no such encoding")
      const done = yield* files.setStatus(file.id, { status: "processed", lines: 3 })
      assert.deepStrictEqual([done?.status, done?.lines, done?.error], ["processed", 3, null])
      assert.deepStrictEqual(yield* files.get(file.id), done)
      assert.isUndefined(yield* files.setStatus(LogFileId.make("none"), { status: "failed" }))
      const figures = {
        fileId: file.id,
        lines: 3,
        firstTime: null,
        lastTime: "2026-03-01T12:00:00.000Z",
        byLevel: { error: 1, info: 2 },
        byService: { "": 3 },
        errorRate: 1 / 3
      }
      assert.isUndefined(yield* files.getAnalytics(file.id))
      yield* files.saveAnalytics({ ...figures, lines: 2 })
      yield* files.saveAnalytics(figures)
      assert.deepStrictEqual(yield* files.getAnalytics(file.id), figures)
    })
  )

  it.effect("a dedupe key is kept once, also when ten come at the same moment", () =>
    Effect.gen(function* () {
      const notifications = yield* Notifications
      const wanted = {
        project: defaultProject,
        alertId: null,
        title: "t",
        body: "b",
        severity: "critical",
        dedupeKey: "k"
      } as const
      const made = yield* Effect.forEach(Array.from({ length: 10 }), () => notifications.create(wanted), {
        concurrency: 10
      })
      assert.strictEqual(made.filter((one) => one.created).length, 1)
      assert.strictEqual(new Set(made.map((one) => one.notification.id)).size, 1)
      const { id } = made[0]!.notification
      yield* TestClock.adjust("1 second")
      const other = yield* notifications.create({ ...wanted, dedupeKey: "k2" })
      const list = yield* notifications.list(defaultProject, 10)
      assert.deepStrictEqual(
        list.map((one) => one.id),
        [other.notification.id, id]
      )
      const read = yield* notifications.markRead(defaultProject, id)
      assert.isNotNull(read!.readAt)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* notifications.markRead(defaultProject, id), read)
      assert.isUndefined(yield* notifications.markRead(ownProject, id))
      assert.isUndefined(yield* notifications.markRead(defaultProject, NotificationId.make("none")))
    })
  )
})
