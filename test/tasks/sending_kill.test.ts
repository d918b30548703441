/** Workers that are killed between a request and its answer: every message is told, and none twice; and what a channel's rate is over several of them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { fileURLToPath } from "node:url"
import type { ChannelId } from "../../src/domain/Channel.ts"
import type { Outgoing } from "../../src/domain/Outgoing.ts"
import { defaultProject } from "../../src/domain/Project.ts"
import { Channels } from "../../src/store/Channels.ts"
import { Deliveries } from "../../src/store/Deliveries.ts"
import { senders } from "../../src/tasks/notifications/Senders.ts"
import { clientLayer, eventually, freshNamespace, redisUrl } from "../support/engine.ts"
import { randomSchema, storeLayer } from "../support/postgres.ts"
import { startFake } from "../support/services/Fake.ts"
import { startSlack } from "../support/services/slack.ts"
import type { Given } from "./sending.worker.ts"

const file = fileURLToPath(new URL("./sending.worker.ts", import.meta.url))

/** A worker; `ready` when it is, or when it was killed before it could say so. */
const start = (given: Given): { readonly child: ChildProcess; readonly ready: Promise<void> } => {
  const child = spawn(process.execPath, ["--no-warnings", file], {
    env: { ...process.env, NODE_OPTIONS: "", WORKER: JSON.stringify(given), REDIS_URL: redisUrl },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let said = ""
  const ready = new Promise<void>((done, failed) => {
    const hear = (text: Buffer): void => {
      said += String(text)
      if (said.includes("ready\n")) done()
    }
    child.stdout.on("data", hear)
    child.stderr.on("data", hear)
    child.once("exit", (code, signal) =>
      signal === "SIGKILL" ? done() : failed(new Error(`the worker ended with ${code}: ${said}`))
    )
  })
  return { child, ready }
}

const roomOf = () => {
  const given: Given = {
    namespace: freshNamespace("send"),
    schema: randomSchema(),
    secretKey: randomBytes(32).toString("hex")
  }
  const secretKeys = [Redacted.make(given.secretKey)]
  return { given, live: Layer.mergeAll(clientLayer(given.namespace), storeLayer({ schema: given.schema, secretKeys })) }
}

const note = (key: string): Outgoing => ({
  key,
  kind: "note",
  title: `Note ${key}`,
  text: "there",
  severity: "info",
  at: "2026-06-01T12:00:00.000Z"
})
const keysOf = (kind: string, count: number) => Array.from({ length: count }, (_, n) => `${kind}.${n}`)

/** Workers that live as long as the scope. */
const workers = (given: Given) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const all: Array<ChildProcess> = []
      const more = (): Promise<void> => {
        const { child, ready } = start(given)
        // At once: it may be at work before it has said that it is.
        all.push(child)
        return ready
      }
      return { all, more }
    }),
    ({ all }) => Effect.sync(() => all.forEach((child) => child.kill("SIGKILL")))
  )

const sendAll = (kind: "slack" | "webhook", channelId: ChannelId, keys: ReadonlyArray<string>) =>
  Effect.forEach(keys, (key) => senders[kind].enqueue({ projectId: defaultProject, channelId, message: note(key) }))

const allSent = (count: number, ms: number) =>
  Effect.flatMap(Deliveries, (deliveries) =>
    eventually(
      `${count} messages are sent`,
      Effect.map(deliveries.list({ project: defaultProject, limit: 1_000 }), (list) =>
        list.filter(({ status }) => status === "sent").length === count ? list : undefined
      ),
      ms
    )
  )

describe("senders in processes of their own", () => {
  it.live(
    "tell everything once, though killed between request and answer",
    () => {
      const { given, live } = roomOf()
      return Effect.gen(function* () {
        const { all, more } = yield* workers(given)
        /** What is to be killed for, once each. */
        const deadly = new Set(["webhook.1", "webhook.5", "slack.1"])
        let kills = 0
        const killFor = (text: string): void => {
          const found = [...deadly].find((key) => text.includes(`"${key}"`))
          if (found === undefined) return
          deadly.delete(found)
          kills += 1
          for (const child of all) child.kill("SIGKILL")
        }
        const received = new Map<string, Set<string>>()
        const hook = yield* Effect.acquireRelease(
          Effect.promise(() =>
            startFake(({ body, headers }) => {
              const { data } = JSON.parse(body) as { data: { key: string } }
              const id = String(headers["webhook-id"])
              received.set(id, (received.get(id) ?? new Set()).add(data.key))
              killFor(body)
              return { status: 200 }
            })
          ),
          ({ close }) => Effect.promise(close)
        )
        const slack = yield* Effect.acquireRelease(
          Effect.promise(() => startSlack(({ body, path }) => void (path.endsWith("postMessage") && killFor(body)))),
          ({ close }) => Effect.promise(close)
        )
        const channels = yield* Channels
        const base = { project: defaultProject, name: "ops" }
        const webhookChannel = yield* channels.create({
          ...base,
          kind: "webhook",
          settings: { url: hook.url },
          secrets: Redacted.make({})
        })
        const slackChannel = yield* channels.create({
          ...base,
          kind: "slack",
          settings: { channel: slack.channel, apiUrl: `${slack.url}/api` },
          secrets: Redacted.make({ botToken: slack.token })
        })
        const webhookKeys = keysOf("webhook", 10)
        const slackKeys = keysOf("slack", 4)
        yield* sendAll("webhook", webhookChannel.id, webhookKeys)
        yield* sendAll("slack", slackChannel.id, slackKeys)
        for (let seen = 0; seen < 3; seen++) {
          yield* Effect.promise(more)
          yield* eventually(
            "a worker is killed",
            Effect.sync(() => kills > seen),
            60_000
          )
        }
        yield* Effect.promise(more)
        yield* allSent(webhookKeys.length + slackKeys.length, 150_000)
        assert.strictEqual(kills, 3)
        // A receiver that keeps ids has each message once, and no id stands for two.
        assert.deepStrictEqual(
          [...received.values()].map((keys) => keys.size),
          webhookKeys.map(() => 1)
        )
        assert.deepStrictEqual([...received.values()].flatMap((keys) => [...keys]).toSorted(), webhookKeys)
        assert.isAbove(hook.taken.length, webhookKeys.length)
        assert.deepStrictEqual(
          slack.messages.map(({ text }) => text).toSorted(),
          slackKeys.map((key) => `*Note ${key}*`)
        )
      }).pipe(Effect.scoped, Effect.provide(live))
    },
    300_000
  )

  it.live(
    "keep a channel's rate together, and hold up no other channel",
    () => {
      const { given, live } = roomOf()
      return Effect.gen(function* () {
        const at: Array<number> = []
        const slack = yield* Effect.acquireRelease(
          Effect.promise(() => startSlack(() => void at.push(Date.now()))),
          ({ close }) => Effect.promise(close)
        )
        const other = yield* Effect.acquireRelease(
          Effect.promise(() => startFake(() => ({ status: 200 }))),
          ({ close }) => Effect.promise(close)
        )
        const { more } = yield* workers(given)
        yield* Effect.promise(() => Promise.all([more(), more()]))
        const channels = yield* Channels
        const base = { project: defaultProject, name: "ops" }
        const slow = yield* channels.create({
          ...base,
          kind: "slack",
          settings: {},
          secrets: Redacted.make({ webhookUrl: slack.webhook })
        })
        const quick = yield* channels.create({
          ...base,
          kind: "webhook",
          settings: { url: other.url },
          secrets: Redacted.make({})
        })
        yield* sendAll("slack", slow.id, keysOf("slack", 6))
        yield* sendAll("webhook", quick.id, keysOf("webhook", 6))
        yield* allSent(12, 60_000)
        assert.strictEqual(at.length, 6)
        // One a second and no more, by whichever worker: five seconds between six, less what the first came late.
        assert.isAbove(at.at(-1)! - at[0]!, 3_500)
        assert.strictEqual(other.taken.length, 6)
      }).pipe(Effect.scoped, Effect.provide(live))
    },
    120_000
  )
})
