import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { type BodyOptions, makeBodies } from "../../src/http/bodies/Bodies.ts"
import { doorOf } from "../../src/ingest/all.ts"
import type { Asked } from "../../src/ingest/Protocol.ts"

const asked: Asked = {
  method: "POST",
  path: "/loki/api/v1/push",
  query: new URLSearchParams(),
  headers: { "content-type": "application/json" }
}

const body = (text: string, skip = 0): BodyOptions => ({
  asked,
  door: doorOf(asked)!,
  bytes: Buffer.from(text),
  now: 0,
  max: 64 * 1024 * 1024,
  skip
})
const push = (lines: ReadonlyArray<string>) =>
  JSON.stringify({ streams: [{ stream: {}, values: lines.map((l) => ["1", l]) }] })

/** Reads to the end: how many lines, and the answer. */
const readAll = (bodies: Effect.Success<ReturnType<typeof makeBodies>>, options: BodyOptions) =>
  Effect.scoped(
    Effect.gen(function* () {
      const reading = yield* bodies.open(options)
      if ("reason" in reading) return reading.reason
      let count = 0
      for (;;) {
        const lines = yield* reading.next
        if (lines === undefined) break
        count += lines.length
      }
      return [count, (yield* reading.accept).status] as const
    })
  )

const many = Array.from({ length: 3_000 }, (_, i) => `line ${i} ${"x".repeat(200)}`)

describe("bodies", () => {
  it.live(
    "are read the same, small here and large in the thread",
    () =>
      Effect.gen(function* () {
        const bodies = yield* makeBodies()
        expect(yield* readAll(bodies, body(push(["a", "b"])))).toEqual([2, 204])
        expect(yield* readAll(bodies, body(push(many)))).toEqual([3_000, 204])
        expect(yield* readAll(bodies, body(push(many), 1_000))).toEqual([2_000, 204])
        expect(yield* readAll(bodies, body(push(many).slice(0, -2)))).toBe("malformed")
        const all = yield* Effect.forEach([1, 2, 3, 4, 5], () => readAll(bodies, body(push(many))), { concurrency: 5 })
        expect(all.every((one) => one[0] === 3_000)).toBe(true)
      }).pipe(Effect.scoped),
    60_000
  )
})
