/** A worker's options: what is left out, and what is refused. */
import { describe, expect, it } from "vitest"
import { complete, type Options } from "../../src/actors/Options.ts"

describe("a worker's options", () => {
  it("are those of the mission where nothing is said", () => {
    expect(complete({})).toMatchObject({ concurrency: 4, prefetchMultiplier: 4, leaseMs: 5_000, maxCrashes: 3 })
    expect(complete({ concurrency: 2.9, prefetchMultiplier: 0, stallMs: Number.POSITIVE_INFINITY })).toMatchObject({
      concurrency: 2
    })
  })

  it("are refused where a worker could not work by them", () => {
    const refused: ReadonlyArray<readonly [Options, string]> = [
      [{ concurrency: 0 }, "worker option concurrency: expected a number, 1 or more, got 0"],
      [{ concurrency: Number.NaN }, "worker option concurrency: expected a number, 1 or more, got NaN"],
      [{ leaseMs: 1 }, "worker option leaseMs: expected a number, 100 or more, got 1"],
      [{ drainTimeout: Number.NaN }, "worker option drainTimeoutMs: expected a number, 0 or more, got NaN"],
      [{ deadMaxAge: "soon" as "1 day" }, "worker option deadMaxAgeMs: expected a number, 1 or more, got NaN"],
      [{ graceMs: -1 }, "worker option graceMs: expected a number, 0 or more, got -1"],
      [{ queues: [] }, "worker option queues: expected some of high-priority, default, low-priority, got none"],
      [{ queues: ["nope" as "default"] }, "got nope"]
    ]
    for (const [options, message] of refused) expect(() => complete(options)).toThrow(message)
  })
})
