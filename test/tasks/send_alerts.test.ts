/** Telling alerts with the real store: what is decided is kept, timers are jobs, and what a crash leaves undone is repaired. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { judgeAt } from "../../src/alerts/Dispatch.ts"
import type { Verdict } from "../../src/domain/Alert.ts"
import { AlertId, RuleId } from "../../src/domain/Ids.ts"
import { defaultProject } from "../../src/domain/Project.ts"
import { InboxLive } from "../../src/main/Inbox.ts"
import { AllowPrivate } from "../../src/notify/Http.ts"
import { LiveBus } from "../../src/notify/LiveBus.ts"
import { Alerts } from "../../src/store/Alerts.ts"
import { Deliveries } from "../../src/store/Deliveries.ts"
import { Incidents } from "../../src/store/Incidents.ts"
import { Notifications } from "../../src/store/Notifications.ts"
import { Routes } from "../../src/store/Routes.ts"
import { Silences } from "../../src/store/Silences.ts"
import { makeRepair } from "../../src/tasks/live/Repair.ts"
import { SendAlerts, SendAlertsLive } from "../../src/tasks/live/send_alerts.ts"
import { SendInAppNotificationLive } from "../../src/tasks/notifications/send_in_app_notification.ts"
import { TestEngine } from "../../src/testing.ts"
import { storeLayer } from "../support/postgres.ts"

const start = Date.UTC(2026, 5, 1, 12)
const bus = Layer.succeed(LiveBus, LiveBus.of({ push: () => Effect.void }))

const world = () =>
  Layer.mergeAll(SendAlertsLive, SendInAppNotificationLive).pipe(
    Layer.provideMerge(Layer.mergeAll(Layer.fresh(TestEngine.layer), bus, InboxLive)),
    Layer.provideMerge(storeLayer()),
    Layer.provideMerge(Layer.succeed(AllowPrivate, true))
  )

const id = (name: string) => AlertId.make(`al_${name}`)

/** Keeps an alert's change; nobody is told. */
const keep = Effect.fnUntraced(function* (name: string, to: "firing" | "resolved", traits: Partial<Verdict> = {}) {
  const alerts = yield* Alerts
  const now = yield* Clock.currentTimeMillis
  const verdict = {
    ruleId: RuleId.make(`rule_${name}`),
    ruleName: name,
    project: defaultProject,
    alertId: id(name),
    from: "inactive",
    to,
    at: now,
    value: 7,
    threshold: 5,
    reason: "7 lines in 1 minute, threshold 5",
    samples: ["boom"],
    startedAt: start,
    firedAt: start,
    resolvedAt: to === "resolved" ? now : null,
    ...traits
  } as const
  return (yield* alerts.apply(verdict)).alert
})

const tell = Effect.fnUntraced(function* (name: string, to: "firing" | "resolved", traits: Partial<Verdict> = {}) {
  yield* keep(name, to, traits)
  yield* SendAlerts.enqueue({ projectId: defaultProject, alertId: id(name), state: to })
  yield* (yield* TestEngine).drain
})

/** Time passes at once; then whatever is due runs. */
const advance = (by: "20 seconds" | "11 seconds" | "5 hours") =>
  Effect.andThen(
    TestClock.adjust(by),
    Effect.flatMap(TestEngine, (test) => test.drain)
  )

/** Titles that were heard, oldest first. */
const heard = Effect.gen(function* () {
  const list = yield* (yield* Notifications).list(defaultProject, 100)
  return list.map(({ title }) => title).toReversed()
})

describe("send_alerts", () => {
  it.effect("waits for others as its route says, tells them together, reminds and tells the answer", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const routes = yield* Routes
      yield* routes.create(
        defaultProject,
        { name: "db", match: ["team=db"], channels: "all", groupBy: ["team"], repeatInterval: "4 hours" },
        undefined
      )
      const labels = { team: "db" }
      yield* tell("a", "firing", { labels })
      yield* advance("20 seconds")
      yield* tell("b", "firing", { labels })
      assert.deepStrictEqual(yield* heard, [])
      yield* advance("11 seconds")
      assert.deepStrictEqual(yield* heard, ["Firing: 2 alerts, a, b"])
      yield* advance("5 hours")
      assert.deepStrictEqual(yield* heard, ["Firing: 2 alerts, a, b", "Still firing: 2 alerts, a, b"])
      const alerts = yield* Alerts
      yield* TestClock.adjust("1 second")
      for (const name of ["a", "b"]) {
        yield* alerts.change(defaultProject, id(name), { acknowledged: true, note: null }, "ada")
        yield* SendAlerts.enqueue({ projectId: defaultProject, alertId: id(name), reason: "answer" })
        yield* (yield* TestEngine).drain
      }
      yield* advance("5 hours")
      assert.deepStrictEqual((yield* heard).slice(2), ["Acknowledged: 2 alerts, a, b"])
      const { decision, events } = yield* alerts.story(id("a"))
      assert.strictEqual(decision, "told as firing by in_app")
      assert.deepStrictEqual(
        events.map(({ what }) => what),
        ["firing", "routed", "told", "told", "acknowledged", "told"]
      )
      const [incident] = yield* (yield* Incidents).list({ project: defaultProject, limit: 10 })
      assert.deepStrictEqual([incident!.state, incident!.group, incident!.alerts.length], ["firing", labels, 2])
      assert.strictEqual((yield* alerts.get(id("a")))!.incidentId, incident!.id)
    }).pipe(Effect.provide(world()))
  )

  it.effect("tells what a silence held back when somebody ends it", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const silences = yield* Silences
      const endsAt = new Date(start + 3_600_000).toISOString()
      const made = yield* silences.create(defaultProject, { matchers: ["rule=a"], endsAt, comment: "upgrade" }, "ada")
      yield* tell("a", "firing")
      yield* TestClock.adjust("1 second")
      yield* tell("b", "firing")
      assert.deepStrictEqual(yield* heard, ["Firing: b"])
      const alerts = yield* Alerts
      assert.strictEqual((yield* alerts.get(id("a")))!.silencedBy, made.id)
      assert.include((yield* alerts.story(id("a"))).decision ?? "", "upgrade (ada)")
      yield* TestClock.adjust("1 minute")
      yield* silences.end(defaultProject, made.id)
      yield* SendAlerts.enqueue({ projectId: defaultProject, reason: "silence" })
      yield* (yield* TestEngine).drain
      assert.deepStrictEqual(yield* heard, ["Firing: b", "Firing: a"])
      assert.isNull((yield* alerts.get(id("a")))!.silencedBy)
    }).pipe(Effect.provide(world()))
  )

  it.effect("tells what an alert held back when that is over", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const silences = yield* Silences
      const spec = { name: "down", source: ["rule=down"], target: ["severity=warning"], equal: [] }
      yield* silences.createInhibition(defaultProject, spec)
      yield* tell("down", "firing", { severity: "critical" })
      yield* tell("a", "firing")
      const alerts = yield* Alerts
      assert.strictEqual((yield* alerts.get(id("a")))!.inhibitedBy, id("down"))
      yield* tell("down", "resolved")
      assert.deepStrictEqual((yield* heard).toSorted(), ["Firing: a", "Firing: down", "Resolved: down"])
    }).pipe(Effect.provide(world()))
  )

  it.effect("repairs whatever a crash has left undone, and doubles nothing", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const incidents = yield* Incidents
      const deliveries = yield* Deliveries
      const test = yield* TestEngine
      const repair = yield* makeRepair
      // Nobody made a job of this one.
      yield* keep("a", "firing")
      // Of this one all was kept, and no job was made.
      yield* keep("b", "firing")
      const judge = judgeAt(start, () => true)
      yield* incidents.dispatch({ project: defaultProject, alert: id("b"), now: start }, judge)
      // This one's incident waits, and its timer is lost.
      yield* (yield* Routes).create(
        defaultProject,
        { name: "slow", match: ["rule=c"], channels: "all", groupWait: "1 minute" },
        undefined
      )
      yield* keep("c", "firing")
      yield* incidents.dispatch({ project: defaultProject, alert: id("c"), now: start }, judge)
      assert.deepStrictEqual(yield* repair, { alerts: 0, incidents: 0, messages: 0 })
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(yield* repair, { alerts: 1, incidents: 1, messages: 1 })
      yield* test.drain
      assert.deepStrictEqual((yield* heard).toSorted(), ["Firing: a", "Firing: b", "Firing: c"])
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(yield* repair, { alerts: 0, incidents: 0, messages: 0 })
      yield* test.drain
      assert.strictEqual((yield* heard).length, 3)
      const list = yield* deliveries.list({ project: defaultProject, limit: 100 })
      assert.deepStrictEqual([...new Set(list.map(({ status }) => status))], ["sent"])
    }).pipe(Effect.provide(world()))
  )
})
