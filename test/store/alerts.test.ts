import { assert, describe, it as alone, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { AlertId, RuleId } from "../../src/domain/Ids.ts"
import { defaultProject } from "../../src/domain/Project.ts"
import type { Verdict } from "../../src/domain/Alert.ts"
import { Alerts } from "../../src/store/Alerts.ts"
import { Rules } from "../../src/store/Rules.ts"
import { Database } from "../../src/store/Database.ts"
import { migrate } from "../../src/store/Migrations.ts"
import { migrations } from "../../src/store/migrations/all.ts"
import { emptyDatabase, storeLayer } from "../support/postgres.ts"

const start = Date.parse("2026-03-01T10:00:00Z")
const verdict = (rule: string, change: Partial<Verdict> & Pick<Verdict, "to">): Verdict => ({
  from: "inactive",
  ruleId: RuleId.make(rule),
  ruleName: "many errors",
  project: defaultProject,
  alertId: AlertId.make(`${rule}-1`),
  at: start,
  value: 7,
  threshold: 5,
  reason: "7 lines in 1 minute",
  samples: ["boom", 'quoted "x" \\ and\ttab'],
  startedAt: start,
  firedAt: change.to === "pending" ? null : start,
  resolvedAt: null,
  ...change
})

/** The alert of a rule that fires; undefined where none does. */
const firing = Effect.fnUntraced(function* (rule: RuleId) {
  const alerts = yield* Alerts
  const [found] = yield* alerts.list({ rule, state: "firing", limit: 2 })
  return found
})

layer(storeLayer())("alerts", (it) => {
  it.effect("a verdict applied twice changes once", () =>
    Effect.gen(function* () {
      const alerts = yield* Alerts
      const first = yield* alerts.apply(verdict("twice", { to: "firing" }))
      const again = yield* alerts.apply(verdict("twice", { to: "firing", value: 9, at: start + 1 }))
      assert.isTrue(first.changed)
      assert.isFalse(again.changed)
      assert.deepStrictEqual(again.alert, first.alert)
      assert.deepStrictEqual(first.alert.samples, ["boom", 'quoted "x" \\ and\ttab'])
      assert.deepStrictEqual(yield* alerts.get(first.alert.id), first.alert)
    })
  )

  it.effect("an alert goes forward and never back", () =>
    Effect.gen(function* () {
      const alerts = yield* Alerts
      const states = ["pending", "firing", "pending", "resolved", "firing", "inactive"] as const
      const seen: Array<string> = []
      for (const [i, to] of states.entries()) {
        const { alert, changed } = yield* alerts.apply(verdict("forward", { to, at: start + i * 1000 }))
        seen.push(`${alert.state} ${changed}`)
      }
      assert.deepStrictEqual(seen, [
        "pending true",
        "firing true",
        "firing false",
        "resolved true",
        "resolved false",
        "resolved false"
      ])
    })
  )

  it.effect("a newer alert ends the one before it, also when verdicts come out of order", () =>
    Effect.gen(function* () {
      const alerts = yield* Alerts
      const rule = RuleId.make("succession")
      const newer = { alertId: AlertId.make("succession-2"), startedAt: start + 60_000, at: start + 60_000 }
      yield* alerts.apply(verdict("succession", { to: "firing" }))
      yield* alerts.apply(verdict("succession", { to: "firing", ...newer }))
      assert.strictEqual((yield* alerts.get(AlertId.make("succession-1")))?.state, "resolved")
      assert.strictEqual((yield* firing(rule))?.id, "succession-2")
      const late = yield* alerts.apply(verdict("succession", { to: "firing", alertId: AlertId.make("succession-0") }))
      assert.deepStrictEqual([late.changed, late.alert.state], [false, "resolved"])
      assert.strictEqual((yield* firing(rule))?.id, "succession-2")
    })
  )

  it.effect("twenty verdicts of one rule at once leave one active alert", () =>
    Effect.gen(function* () {
      const alerts = yield* Alerts
      const all = Array.from({ length: 20 }, (_, i) =>
        verdict("race", { to: "firing", alertId: AlertId.make(`race-${i}`), startedAt: start + (i % 5) * 1000 })
      )
      yield* Effect.forEach(all, alerts.apply, { concurrency: "unbounded" })
      const listed = yield* alerts.list({ project: defaultProject, limit: 1000 })
      const active = listed.filter((alert) => alert.ruleId === "race" && alert.state === "firing")
      assert.strictEqual(active.length, 1)
      assert.strictEqual(active[0]!.startedAt, new Date(start + 4000).toISOString())
    })
  )

  it.effect("list filters by state, last change first", () =>
    Effect.gen(function* () {
      const alerts = yield* Alerts
      yield* alerts.apply(verdict("list-a", { to: "pending", at: start + 100_000 }))
      yield* alerts.apply(verdict("list-b", { to: "pending", at: start + 200_000 }))
      const pending = yield* alerts.list({ project: defaultProject, state: "pending", limit: 2 })
      assert.deepStrictEqual(
        pending.map((alert) => alert.ruleId as string),
        ["list-b", "list-a"]
      )
    })
  )

  it.effect("ends one that is active, once", () =>
    Effect.gen(function* () {
      const alerts = yield* Alerts
      yield* TestClock.setTime(start + 5_000)
      yield* alerts.apply(verdict("lost", { to: "firing" }))
      const ended = yield* alerts.end(AlertId.make("lost-1"), "lost")
      assert.deepInclude(ended, {
        state: "resolved",
        reason: "lost",
        resolvedAt: new Date(start + 5_000).toISOString()
      })
      assert.isUndefined(yield* alerts.end(AlertId.make("lost-1"), "lost"))
      assert.isUndefined(yield* alerts.end(AlertId.make("lost-2"), "lost"))
    })
  )

  it.effect("removing a rule ends its alert", () =>
    Effect.gen(function* () {
      const alerts = yield* Alerts
      const rules = yield* Rules
      const spec = {
        type: "threshold",
        query: "level:error",
        window: "1 minute",
        threshold: 5,
        for: "0 seconds"
      } as const
      const rule = yield* rules.create({ project: defaultProject, name: "gone soon", ...spec })
      assert.deepStrictEqual(yield* rules.get(rule.id), rule)
      assert.deepStrictEqual(yield* rules.list(defaultProject), [rule])
      assert.deepStrictEqual(yield* rules.listAll, [rule])
      assert.deepStrictEqual(yield* rules.projects, [defaultProject])
      yield* alerts.apply(verdict(rule.id, { to: "firing" }))
      const { ended, removed } = yield* rules.remove(defaultProject, rule.id)
      assert.isTrue(removed)
      assert.deepStrictEqual(
        ended.map((alert) => [alert.state, alert.reason]),
        [["resolved", "the rule was removed"]]
      )
      assert.isUndefined(yield* firing(rule.id))
      assert.isFalse((yield* rules.remove(defaultProject, rule.id)).removed)
    })
  )
})

describe("alerts of before", () => {
  alone.effect("are still read, as warnings that nobody is told of again", () =>
    Effect.gen(function* () {
      const database = yield* Database
      yield* migrate(migrations.filter(({ id }) => id < 9))
      yield* database.query(
        "test.old",
        (sql) => sql`
          insert into alerts (id, project, rule_id, rule_name, state, value, threshold, reason, samples, started_at, fired_at,
            updated_at)
          values ('al_old', 'default', 'rule_old', 'old', 'firing', 7, 5, 'because', '["boom"]', now(), now(), now())`
      )
      yield* migrate()
      const found = yield* Effect.gen(function* () {
        const alerts = yield* Alerts
        assert.deepStrictEqual(yield* alerts.unrouted(start + 100 * 365 * 86_400_000, 10), [])
        return yield* alerts.get(AlertId.make("al_old"))
      }).pipe(Effect.provide(Alerts.layer))
      assert.deepInclude(found, {
        severity: "warning",
        labels: {},
        group: {},
        lines: [],
        window: null,
        acknowledged: null,
        incidentId: null,
        samples: ["boom"]
      })
    }).pipe(Effect.provide(emptyDatabase().layer))
  )

  alone.effect("are corrected by lines that came late, and filtered by what they carry", () =>
    Effect.gen(function* () {
      const alerts = yield* Alerts
      const labels = { team: "db" }
      yield* alerts.apply(verdict("late", { to: "firing", labels, severity: "critical" }))
      const { alert, changed } = yield* alerts.apply(verdict("late", { to: "firing", late: true, value: 9, labels }))
      assert.deepStrictEqual([changed, alert.late, alert.value], [false, true, 9])
      const ids = (wanted: object) =>
        Effect.map(alerts.list({ project: defaultProject, limit: 10, ...wanted }), (list) =>
          list.map(({ id }) => id as string)
        )
      for (const [wanted, count] of [
        [{ label: { name: "team", value: "db" } }, 1],
        [{ label: { name: "team", value: "web" } }, 0],
        [{ severity: "critical", rule: "many errors", acknowledged: false }, 1],
        [{ acknowledged: true }, 0],
        [{ from: start + 1, to: start + 2 }, 1],
        [{ to: start - 1 }, 0]
      ] as const) {
        assert.strictEqual((yield* ids(wanted)).length, count, JSON.stringify(wanted))
      }
      assert.deepStrictEqual((yield* alerts.story(alert.id)).events.map(({ what }) => what).toSorted(), [
        "corrected",
        "firing"
      ])
    }).pipe(Effect.provide(storeLayer()))
  )

  alone.effect("tell in their timeline why they fired, also when they are over", () =>
    Effect.gen(function* () {
      const alerts = yield* Alerts
      yield* alerts.apply(verdict("why", { to: "pending", firedAt: null, reason: "5 of 5" }))
      yield* alerts.apply(verdict("why", { to: "firing", reason: "7 lines" }))
      const over = { to: "resolved", reason: "Over: no line", at: start + 60_000, resolvedAt: start + 60_000 } as const
      const { alert } = yield* alerts.apply(verdict("why", over))
      const { events } = yield* alerts.story(alert.id)
      assert.deepStrictEqual(
        events.filter(({ what }) => what !== "pending").map(({ note, what }) => [what, note]),
        [
          ["firing", "7 lines"],
          ["resolved", "Over: no line"]
        ]
      )
    }).pipe(Effect.provide(storeLayer()))
  )
})
