/** What a worker holds, without Redis: an entry that it loses and claims anew while the first attempt is still ending. */
import { expect, it } from "vitest"
import { Desk } from "../../src/actors/Desk.ts"
import type { Ended } from "../../src/actors/Ended.ts"
import type { Held } from "../../src/actors/Held.ts"

const job = (count: number) =>
  ({ queue: "default", entry: "1-0", count, id: "d-a", task: "a", payload: "{}", meta: "" }) as const

it("keeps the new claim of an entry when the attempt under the old one ends", () => {
  const running: Array<{ readonly held: Held; readonly end: (ended: Ended) => void }> = []
  const desk = new Desk({
    shares: { concurrency: 4, reserved: { "high-priority": 0, default: 0, "low-priority": 0 } },
    prefetch: 16,
    leaseMs: 60_000,
    maxUnsettled: 100,
    run: (held, end) => void running.push({ held, end }),
    settle: () => {},
    unsettled: () => 0,
    began: () => {},
    left: () => {},
    limited: () => false
  })
  const held = () => desk.held.get("default")?.get("1-0")
  desk.take([job(1)])
  const first = running[0] as (typeof running)[number]
  desk.drop(first.held)
  expect(held()).toBeUndefined()
  desk.take([job(3)])
  const second = held()
  expect(second?.count).toBe(3)
  first.end({ _tag: "Left" })
  expect(held()).toBe(second)
  desk.freed(first.held, "lost", 0)
  expect(held()).toBe(second)
})
