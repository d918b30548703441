/**
 * Acceptance scenarios of rules in virtual time that read like a score:
 *
 *     score(rule).push(1, 5).want("firing", 1, 1.5).want("resolved", 61, 63).play()
 *
 * Times are seconds from the start. Lines come at the time they are pushed and are of that time, where they say no other. What
 * happens beside what is wanted is a fault too.
 */
import { expect } from "vitest"
import * as Judge from "../../src/alerts/Judge.ts"
import type { LogEvent } from "../../src/domain/LogEvent.ts"
import { ProjectId, RuleId } from "../../src/domain/Ids.ts"
import type { AlertRule, RuleSpec } from "../../src/domain/Rule.ts"

export const origin = 1_700_000_000_000

export const ruleOf = (spec: RuleSpec, id = "r1"): AlertRule => ({
  id: RuleId.make(id),
  project: ProjectId.make("default"),
  name: `rule ${id}`,
  enabled: true,
  createdAt: "2026-01-01T00:00:00.000Z",
  ...spec
})

/** A line; `time` in seconds from the start. */
export type Line = Partial<Omit<LogEvent, "time">> & { readonly time?: number }

interface Note {
  readonly to: string
  readonly from: number
  readonly until: number
  readonly also: Readonly<Record<string, unknown>>
}

export const score = (...rules: ReadonlyArray<AlertRule>) => {
  const pushes: Array<{ readonly at: number; readonly events: ReadonlyArray<LogEvent> }> = []
  const wanted: Array<Note> = []
  let end = 0
  const self = {
    /** `count` lines at `at`. */
    push: (at: number, count: number, { time = at, ...line }: Line = {}) => {
      const event: LogEvent = {
        level: "error",
        service: "api",
        message: "boom",
        attributes: {},
        ...line,
        time: origin + time * 1_000
      }
      pushes.push({ at, events: Array.from({ length: count }, () => event) })
      end = Math.max(end, at)
      return self
    },
    /** An alert that becomes `to` between two times; `also` of its verdict. */
    want: (to: string, from: number, until: number, also: Readonly<Record<string, unknown>> = {}) => {
      wanted.push({ to, from, until, also })
      end = Math.max(end, until)
      return self
    },
    /** Plays until a second after the last time that was named, or until `seconds`; the clock is looked at each half second. */
    play: (seconds = end + 1): ReadonlyArray<Judge.Verdict> => {
      let judge = Judge.make(rules)
      const heard: Array<Judge.Verdict> = []
      const due = pushes.toSorted((a, b) => a.at - b.at)
      for (let half = 0; half <= seconds * 2; half++) {
        const now = half / 2
        heard.push(...judge.tick(origin + now * 1_000))
        for (let next = due[0]; next !== undefined && next.at <= now; next = due[0]) {
          due.shift()
          heard.push(...judge.batch(next.events, origin + next.at * 1_000, `b${due.length}`))
        }
        // Written down and taken up by another, now and then.
        if (half % 20 === 19) judge = Judge.make(rules, JSON.parse(JSON.stringify(judge.state)) as Judge.JudgeState)
      }
      const told = heard.map(({ at, group, late, to }) => `${to} at ${(at - origin) / 1_000} ${group ?? ""} ${late}`)
      expect({ told, count: heard.length }).toEqual({ told, count: wanted.length })
      for (const [i, { also, from, to, until }] of wanted.entries()) {
        const verdict = heard[i]!
        expect({ told, verdict }).toMatchObject({ told, verdict: { to, ...also } })
        const at = (verdict.at - origin) / 1_000
        expect({ told, at, within: at >= from && at <= until }).toEqual({ told, at, within: true })
      }
      return heard
    }
  }
  return self
}
