/** From an alert to the servers of others: planned once, sent once, in order, left alone when broken. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { randomBytes } from "node:crypto"
import { AlertId, ProjectId, RuleId } from "../../src/domain/Ids.ts"
import { defaultProject } from "../../src/domain/Project.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import { InboxLive } from "../../src/main/Inbox.ts"
import { AllowPrivate } from "../../src/notify/Http.ts"
import { LiveBus } from "../../src/notify/LiveBus.ts"
import { Alerts } from "../../src/store/Alerts.ts"
import { Channels } from "../../src/store/Channels.ts"
import { Deliveries, sendingMaxMs } from "../../src/store/Deliveries.ts"
import { Notifications } from "../../src/store/Notifications.ts"
import { SendAlerts, SendAlertsLive } from "../../src/tasks/live/send_alerts.ts"
import { SendInAppNotificationLive } from "../../src/tasks/notifications/send_in_app_notification.ts"
import { SendSlackNotificationLive } from "../../src/tasks/notifications/send_slack_notification.ts"
import { SendSmsLive } from "../../src/tasks/notifications/send_sms.ts"
import { senders } from "../../src/tasks/notifications/Senders.ts"
import { brokenUntil } from "../../src/tasks/notifications/Sending.ts"
import { TestEngine } from "../../src/testing.ts"
import { storeLayer } from "../support/postgres.ts"
import { type FakeSlack, startSlack } from "../support/services/slack.ts"
import { startTwilio } from "../support/services/twilio.ts"

const start = Date.UTC(2026, 5, 1, 12)
const bus = Layer.succeed(LiveBus, LiveBus.of({ push: () => Effect.void }))
const secretKeys = [Redacted.make(randomBytes(32).toString("hex"))]

const world = () =>
  Layer.mergeAll(SendAlertsLive, SendSlackNotificationLive, SendSmsLive, SendInAppNotificationLive).pipe(
    Layer.provideMerge(Layer.mergeAll(Layer.fresh(TestEngine.layer), bus, InboxLive)),
    Layer.provideMerge(storeLayer({ secretKeys })),
    Layer.provideMerge(Layer.succeed(AllowPrivate, true))
  )

const withSlack = <A, E, R>(use: (fake: FakeSlack) => Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.promise(() => startSlack()),
    use,
    (fake) => Effect.promise(fake.close)
  )

const makeChannel = (fake: FakeSlack) =>
  Effect.flatMap(Channels, (channels) =>
    channels.create({
      project: defaultProject,
      kind: "slack",
      name: "ops",
      settings: { channel: fake.channel, apiUrl: `${fake.url}/api` },
      secrets: Redacted.make({ botToken: fake.token })
    })
  )

const alert = (to: "firing" | "resolved", id = "al_1") =>
  Effect.flatMap(Alerts, (alerts) =>
    alerts.apply({
      ruleId: RuleId.make(`rule_${id}`),
      ruleName: "payments fail",
      project: defaultProject,
      alertId: AlertId.make(id),
      from: "inactive",
      to,
      at: start,
      value: 7,
      threshold: 5,
      reason: "7 lines in 1 minute, threshold 5",
      samples: ["payment 1 failed"],
      startedAt: start,
      firedAt: start,
      resolvedAt: to === "resolved" ? start : null
    })
  )

const dispatch = Effect.fnUntraced(function* (state: "firing" | "resolved", id = "al_1") {
  yield* alert(state, id)
  yield* SendAlerts.enqueue({ projectId: defaultProject, alertId: AlertId.make(id), state })
  const test = yield* TestEngine
  yield* test.drain
})

describe("from an alert to people", () => {
  it.effect("tells an incident in Slack and in the application, each state once", () =>
    withSlack((fake) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(start)
        const channel = yield* makeChannel(fake)
        yield* dispatch("firing")
        yield* dispatch("firing")
        yield* dispatch("resolved")
        assert.deepStrictEqual(
          fake.messages.map(({ edited, thread_ts }) => [thread_ts !== undefined, edited]),
          [
            [false, 1],
            [true, 0]
          ]
        )
        const notifications = yield* Notifications
        const told = yield* notifications.list(defaultProject, 10)
        assert.deepStrictEqual(told.map(({ title }) => title).toSorted(), [
          "Firing: payments fail",
          "Resolved: payments fail"
        ])
        const deliveries = yield* Deliveries
        const list = yield* deliveries.list({ project: defaultProject, channel: channel.id, limit: 10 })
        assert.deepStrictEqual(
          list.map(({ attempts, status }) => [status, attempts]),
          [
            ["sent", 1],
            ["sent", 1]
          ]
        )
      })
    ).pipe(Effect.provide(world()))
  )

  it.effect("looks before it sends again what a crash left open", () =>
    withSlack((fake) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(start)
        const channel = yield* makeChannel(fake)
        const message = {
          key: "note.1",
          kind: "note",
          title: "Hello",
          text: "there",
          severity: "info",
          at: new Date(start).toISOString()
        } as const
        const planned = { project: defaultProject, channel: channel.id, message }
        const deliveries = yield* Deliveries
        // A process that dies amid the call: it had begun, Slack has posted, nobody said so.
        assert.strictEqual((yield* deliveries.begin(planned))._tag, "Yours")
        fake.messages.push({
          ts: "1.1",
          text: "",
          edited: 0,
          metadata: { event_type: "loglytics", event_payload: { key: "note.1" } }
        })
        const engine = yield* Engine
        const test = yield* TestEngine
        const id = yield* senders.slack.enqueue({ projectId: defaultProject, channelId: channel.id, message })
        yield* test.drain
        assert.strictEqual((yield* deliveries.begin(planned))._tag, "Busy")
        yield* TestClock.adjust(sendingMaxMs + 1_000)
        yield* test.drain
        assert.deepStrictEqual(yield* engine.await(id), { status: "sent" })
        assert.strictEqual(fake.messages.length, 1)
      })
    ).pipe(Effect.provide(world()))
  )

  it.effect("keeps the order of an incident through failures, and drops what was overtaken", () =>
    withSlack((fake) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(start)
        const channel = yield* makeChannel(fake)
        const deliveries = yield* Deliveries
        const test = yield* TestEngine
        const message = (seq: number, state: "firing" | "resolved") => ({
          projectId: defaultProject,
          channelId: channel.id,
          message: {
            key: `inc_1.${seq}`,
            kind: "alert" as const,
            title: `${state} ${seq}`,
            text: "there",
            severity: "info" as const,
            state,
            incident: { id: "inc_1", count: 0, alerts: [] },
            at: new Date(start).toISOString()
          }
        })
        const plan = (...all: ReadonlyArray<ReturnType<typeof message>>) =>
          deliveries.plan(all.map((one) => ({ project: defaultProject, channel: channel.id, message: one.message })))
        yield* plan(message(1, "firing"))
        for (let n = 0; n < 3; n++) fake.faults.push({ kind: "status", status: 503 })
        yield* senders.slack.enqueue(message(1, "firing"))
        yield* test.drain
        yield* TestClock.adjust("1 second")
        yield* plan(message(2, "resolved"))
        yield* senders.slack.enqueue(message(2, "resolved"))
        yield* test.drain
        // The first waits for its next attempt, and the second for the first.
        assert.deepStrictEqual(fake.messages, [])
        for (let n = 0; n < 40; n++) {
          yield* TestClock.adjust("5 seconds")
          yield* test.drain
        }
        assert.deepStrictEqual(
          fake.messages.map(({ text }) => text.split("\n")[0]),
          ["*resolved 2*", "*resolved 2*"]
        )
        assert.strictEqual(fake.messages[0]!.edited, 1)

        // One that is refused for good holds nobody up, and when somebody has it sent again it is no news any more.
        yield* plan(message(3, "firing"))
        fake.faults.push({ kind: "status", status: 200, body: { ok: false, error: "msg_too_long" } })
        yield* senders.slack.enqueue(message(3, "firing"))
        yield* test.drain
        yield* TestClock.adjust("1 second")
        yield* plan(message(4, "resolved"))
        yield* senders.slack.enqueue(message(4, "resolved"))
        yield* test.drain
        yield* senders.slack.enqueue(message(3, "firing"))
        yield* test.drain
        assert.deepStrictEqual(
          (yield* deliveries.list({ project: defaultProject, channel: channel.id, limit: 10 })).map(
            ({ key, status }) => `${key} ${status}`
          ),
          ["inc_1.4 sent", "inc_1.3 dropped", "inc_1.2 sent", "inc_1.1 sent"]
        )
      })
    ).pipe(Effect.provide(world()))
  )

  it.effect("leaves a channel alone after five failures, at no cost of attempts, and goes on when it works again", () =>
    withSlack((fake) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(start)
        const channel = yield* makeChannel(fake)
        const channels = yield* Channels
        const test = yield* TestEngine
        const note = (n: number) => ({
          projectId: defaultProject,
          channelId: channel.id,
          message: {
            key: `note.${n}`,
            kind: "note" as const,
            title: `Note ${n}`,
            text: "there",
            severity: "info" as const,
            at: new Date(start).toISOString()
          }
        })
        for (let n = 0; n < 5; n++) {
          fake.faults.push({ kind: "status", status: 503 })
          yield* senders.slack.enqueue(note(n))
          yield* test.drain
        }
        assert.strictEqual((yield* channels.get(channel.id))!.failures, 5)
        const before = fake.taken.length
        yield* senders.slack.enqueue(note(5))
        yield* test.drain
        yield* TestClock.adjust("29 seconds")
        yield* test.drain
        assert.strictEqual(fake.taken.length, before)
        yield* TestClock.adjust("10 minutes")
        yield* test.drain
        assert.deepStrictEqual(
          fake.messages.map(({ text }) => text).toSorted(),
          [0, 1, 2, 3, 4, 5].map((n) => `*Note ${n}*`)
        )
        const deliveries = yield* Deliveries
        const list = yield* deliveries.list({ project: defaultProject, channel: channel.id, limit: 10 })
        assert.deepStrictEqual(
          list.map(({ attempts, status }) => [status, attempts]).toSorted((a, b) => Number(a[1]) - Number(b[1])),
          [["sent", 1], ...Array.from({ length: 5 }, () => ["sent", 2])]
        )
        const after = yield* channels.get(channel.id)
        assert.deepStrictEqual([after!.failures, after!.lastError], [0, null])
      })
    ).pipe(Effect.provide(world()))
  )

  it.effect("tells each of several recipients once, through failures and a restart, and who can't be reached", () =>
    Effect.acquireUseRelease(
      Effect.promise(() => startTwilio()),
      (fake) =>
        Effect.gen(function* () {
          yield* TestClock.setTime(start)
          const to = ["+4915111111111", "+4915122222222", "+4915133333333"]
          const channels = yield* Channels
          const channel = yield* channels.create({
            project: defaultProject,
            kind: "sms",
            name: "on call",
            settings: { accountSid: fake.accountSid, from: "+15005550006", to, apiUrl: fake.url },
            secrets: Redacted.make({ authToken: fake.token })
          })
          fake.refused.set(to[0]!, [400, 21_610])
          fake.refused.set(to[1]!, [429, 20_429])
          const message = {
            key: "note.sms",
            kind: "note",
            title: "Hello\u0000 \ud800",
            text: "there",
            severity: "info",
            at: new Date(start).toISOString()
          } as const
          const test = yield* TestEngine
          yield* senders.sms.enqueue({ projectId: defaultProject, channelId: channel.id, message })
          yield* test.drain
          fake.refused.delete(to[1]!)
          yield* TestClock.adjust("10 minutes")
          yield* test.drain
          assert.deepStrictEqual(fake.messages.map((one) => one.to).toSorted(), [to[1], to[2]])
          const deliveries = yield* Deliveries
          const [kept] = yield* deliveries.list({ project: defaultProject, channel: channel.id, limit: 1 })
          assert.deepStrictEqual([kept?.status, kept?.attempts], ["sent", 2])
          assert.include(kept?.error ?? "", "1 of 3 recipients can't be reached (+4915111111111: unsubscribed")
          assert.include((yield* channels.get(channel.id))?.lastError ?? "", "1 of 3")
        }),
      (fake) => Effect.promise(fake.close)
    ).pipe(Effect.provide(world()))
  )

  it.effect("drops what is meant for a channel of another project, or one that is off", () =>
    withSlack((fake) =>
      Effect.gen(function* () {
        const channel = yield* makeChannel(fake)
        const channels = yield* Channels
        yield* channels.change(defaultProject, channel.id, { enabled: false })
        const message = {
          key: "k",
          kind: "note",
          title: "t",
          text: "",
          severity: "info",
          at: "2026-01-01T00:00:00Z"
        } as const
        const test = yield* TestEngine
        yield* senders.slack.enqueue({ projectId: defaultProject, channelId: channel.id, message })
        yield* senders.slack.enqueue({
          projectId: ProjectId.make("loglytics"),
          channelId: channel.id,
          message: { ...message, key: "k2" }
        })
        yield* test.drain
        assert.strictEqual(fake.taken.length, 0)
      })
    ).pipe(Effect.provide(world()))
  )

  it.effect("keeps secrets sealed, changes one of them, and reads them again", () =>
    Effect.gen(function* () {
      const channels = yield* Channels
      const made = yield* channels.create({
        project: defaultProject,
        kind: "slack",
        name: "ops",
        settings: {},
        secrets: Redacted.make({ botToken: "xoxb-1", webhookUrl: "https://hooks.example.com/1" })
      })
      assert.deepStrictEqual(made.secrets, ["botToken", "webhookUrl"])
      assert.notInclude(JSON.stringify(made), "xoxb-1")
      yield* channels.change(defaultProject, made.id, {
        secrets: Redacted.make({ botToken: "", webhookUrl: "https://b" })
      })
      const opened = yield* channels.open(made.id)
      assert.deepStrictEqual(Redacted.value(opened!.secrets), { webhookUrl: "https://b" })
    }).pipe(Effect.provide(world()))
  )

  it("leaves a channel alone for longer the more often it fails", () => {
    assert.strictEqual(brokenUntil(4, 1_000), undefined)
    assert.strictEqual(brokenUntil(5, 1_000), 31_000)
    assert.strictEqual(brokenUntil(6, 1_000), 61_000)
    assert.strictEqual(brokenUntil(60, 1_000), 601_000)
  })
})
