/** What every member of the family promises. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { followers, protocols, sources } from "../../src/ingest/all.ts"
import { noSecrets, SourceError } from "../../src/ingest/Source.ts"

describe.each(Object.entries(sources))("source %s", (kind, source) => {
  it("bears the name it is kept under and names the path of each fault in its settings", () => {
    expect(source.kind).toBe(kind)
    const issues = source.validate({}, noSecrets)
    expect(issues.length).toBeGreaterThan(0)
    expect(issues.every(({ message, path }) => path.length > 0 && message.includes("expected"))).toBe(true)
  })

  it.effect("fails for good, by its own error, with settings that can't work", () =>
    Effect.gen(function* () {
      const ask = { config: {}, secrets: noSecrets, now: 0, limits: { events: 10, allowPrivate: true } }
      for (const asked of [source.poll({ ...ask, cursor: null }), source.check(ask)]) {
        const error = yield* Effect.flip<unknown, SourceError, never>(asked)
        expect(error).toBeInstanceOf(SourceError)
        expect(error).toMatchObject({ retryable: false, fault: "settings" })
      }
    })
  )
})

describe.each(Object.entries(protocols))("protocol %s", (_, make) => {
  it.each(["text", "ndjson", "json"] as const)("takes an empty body as %s", (mode) => {
    const decoder = make(mode)
    expect([decoder.push(new Uint8Array()), decoder.end(), decoder.rejectedTotal]).toEqual([[], [], 0])
  })
})

describe.each(Object.entries(followers))("follower %s", (_, follow) => {
  it.live("hands over lines until its taker is done, and ends with it", () =>
    Effect.gen(function* () {
      const dir = yield* Effect.promise(() => mkdtemp(join(tmpdir(), "loglytics-follow-")))
      yield* Effect.promise(() => writeFile(join(dir, "a.log"), "one\n"))
      const options = { patterns: [join(dir, "*.log")], from: "start" } as const
      const taken = yield* Effect.flip(follow(options, ({ lines }) => Effect.fail(lines)))
      expect(taken).toEqual(["one"])
      yield* Effect.promise(() => rm(dir, { recursive: true }))
    })
  )
})
