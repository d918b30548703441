/** The checks of chaos over lines can fail: each is shown evidence of the fault it is there for, and evidence of a good run. */
import { assert, describe, it } from "vitest"
import { dice } from "../chaos/Seed.ts"
import * as Checks from "./Checks.ts"
import { schedule } from "./Verbs.ts"

const http = { door: "http", told: "accepted", tries: 1 } as const
/** A run in which all went well: five lines, one of them never answered, one uploaded. */
const good: Checks.Evidence = {
  sendings: [
    { ...http, lines: ["a-0", "a-1", "a-2"], matching: ["a-0"] },
    { door: "http once", told: "unknown", tries: 1, lines: ["c-0", "c-1"], matching: ["c-0"] },
    { door: "upload", told: "accepted", tries: 1, lines: ["e-0"], matching: ["e-0"] }
  ],
  stored: new Map([
    ["a-0", 1],
    ["a-1", 1],
    ["a-2", 1],
    ["c-0", 1],
    ["e-0", 1]
  ]),
  counted: 2,
  alerts: [{ state: "firing" }],
  threshold: 2,
  held: 0,
  buried: 0
}
const stored = (...changes: ReadonlyArray<readonly [string, number]>) => {
  const map = new Map(good.stored)
  for (const [line, times] of changes) {
    if (times === 0) map.delete(line)
    else map.set(line, times)
  }
  return { stored: map }
}

const faults: ReadonlyArray<readonly [fault: string, check: Checks.Check, evidence: Partial<Checks.Evidence>]> = [
  ["an accepted line that is not stored", Checks.nothingLost, stored(["a-1", 0])],
  ["an uploaded line that is not stored", Checks.nothingLost, stored(["e-0", 0])],
  ["an accepted line that is stored twice", Checks.nothingDoubled, stored(["a-1", 2])],
  ["a line without an answer that is stored twice", Checks.nothingDoubled, stored(["c-0", 2])],
  ["an uploaded line that is stored twice", Checks.nothingDoubled, stored(["e-0", 2])],
  ["a line that nobody sent", Checks.nothingInvented, stored(["x-0", 1])],
  ["a line that was counted twice", Checks.countedOnce, { counted: 3 }],
  ["a line that was not counted", Checks.countedOnce, { counted: 1 }],
  ["a line that was counted and is not stored", Checks.countedOnce, stored(["c-0", 0])],
  ["an alert that did not come", Checks.firedOnce, { alerts: [] }],
  ["an alert that came twice", Checks.firedOnce, { alerts: [{ state: "firing" }, { state: "resolved" }] }],
  ["an alert too early", Checks.firedOnce, { threshold: 3 }],
  ["a batch that still waits", Checks.allThrough, { held: 1 }],
  ["a batch that was set aside", Checks.allThrough, { buried: 1 }]
]

describe("the checks of chaos over lines", () => {
  it("find nothing in a good run, in which what was not answered may be in or not", () => {
    assert.deepStrictEqual(Checks.judge(good), [])
    assert.deepStrictEqual(Checks.judge({ ...good, ...stored(["c-0", 0]), counted: 1, alerts: [] }), [])
  })

  for (const [fault, check, evidence] of faults) {
    it(`see ${fault}`, () => {
      assert.deepStrictEqual(check(good), [])
      assert.lengthOf(check({ ...good, ...evidence }), 1)
      assert.isNotEmpty(Checks.judge({ ...good, ...evidence }))
    })
  }

  it("judge the same deeds for the same seed", () => {
    const plan = { forMs: 20_000, members: 3, perSecond: 1 }
    assert.deepStrictEqual(schedule(dice(5), plan), schedule(dice(5), plan))
    assert.notDeepEqual(schedule(dice(5), plan), schedule(dice(6), plan))
  })
})
