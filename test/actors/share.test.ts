/** Who is next, decided purely. */
import { assert, describe, it } from "@effect/vitest"
import type { QueueName } from "../../src/jobs/JobQueue.ts"
import { defaultReserved, pick } from "../../src/actors/Share.ts"

const all = (high: number, normal: number, low: number) => ({
  "high-priority": high,
  default: normal,
  "low-priority": low
})

/** Starts as many jobs as may start, all queues full, and counts them per queue. */
const fill = (concurrency: number, reserved = defaultReserved(concurrency)) => {
  const running = all(0, 0, 0)
  const order: Array<QueueName> = []
  for (let i = 0; ; i++) {
    const queue = pick({ concurrency, reserved }, all(99, 99, 99), running, 0)
    if (queue === undefined) return { running, order }
    running[queue]++
    order.push(queue)
  }
}

describe("share", () => {
  it("serves high before default before low", () => {
    const shares = { concurrency: 4, reserved: all(0, 0, 0) }
    assert.strictEqual(pick(shares, all(1, 1, 1), all(0, 0, 0), 0), "high-priority")
    assert.strictEqual(pick(shares, all(0, 1, 1), all(0, 0, 0), 0), "default")
    assert.strictEqual(pick(shares, all(0, 0, 1), all(0, 0, 0), 0), "low-priority")
    assert.isUndefined(pick(shares, all(0, 0, 0), all(0, 0, 0), 0))
  })
  it("keeps reserved permits free for their queue and never runs more than it may", () => {
    const { order, running } = fill(4)
    assert.deepStrictEqual(running, all(3, 0, 1))
    assert.strictEqual(order.at(-1), "low-priority")
    assert.isUndefined(pick({ concurrency: 4, reserved: all(1, 0, 1) }, all(0, 5, 0), all(0, 2, 1), 0))
    assert.strictEqual(pick({ concurrency: 4, reserved: all(1, 0, 1) }, all(1, 5, 0), all(0, 2, 1), 0), "high-priority")
  })
  it("waits for more of a higher queue that is on its way, but for reserved permits", () => {
    const shares = { concurrency: 4, reserved: all(1, 0, 1) }
    const more = { "high-priority": true, default: false, "low-priority": false }
    assert.isUndefined(pick(shares, all(0, 5, 0), all(0, 0, 0), 0, more))
    assert.strictEqual(pick(shares, all(0, 5, 5), all(0, 0, 0), 0, more), "low-priority")
    assert.isUndefined(pick(shares, all(0, 5, 5), all(0, 0, 1), 0, more))
  })
  it("lets low have a turn where there are too few permits to reserve", () => {
    const shares = { concurrency: 1, reserved: defaultReserved(1) }
    const picked = Array.from({ length: 64 }, (_, i) => pick(shares, all(9, 9, 9), all(0, 0, 0), i))
    assert.strictEqual(picked.filter((q) => q === "low-priority").length, 4)
  })
})
