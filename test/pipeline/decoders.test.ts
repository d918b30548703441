/** Whose settings apply to which line: loaded once, replaced in the order of the stream, never skipped while Postgres is away. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Ref } from "effect"
import { TestClock } from "effect/testing"
import { defaultProject as project } from "../../src/domain/Project.ts"
import { changed, defaultSettings, type KeptSettings } from "../../src/domain/ProjectSettings.ts"
import * as Decoders from "../../src/pipeline/Decoders.ts"
import { decode } from "../../src/pipeline/stages/decode.ts"
import { StoreError } from "../../src/store/Database.ts"
import { ProjectSettings } from "../../src/store/ProjectSettings.ts"
import type { LogEntry } from "../../src/streams/LogStream.ts"

const entry = (line: string): LogEntry => ({
  entryId: "1-0",
  kind: "lines",
  id: line,
  project,
  receivedAt: 0,
  bytes: line.length,
  lines: [line]
})
const rules = (settings?: string): LogEntry => ({
  ...entry(""),
  kind: "rules",
  lines: [],
  ...(settings === undefined ? {} : { settings })
})
const version = (number: number, email: boolean): KeptSettings => ({
  version: number,
  settings: changed(defaultSettings, { redaction: { builtIn: { email } } })
})

const line = "mail to bob@example.com, password=hunter2!"
const masked = "mail to [email]@example.com, password=[redacted]"
const open = "mail to bob@example.com, password=[redacted]"

/** A store whose answer the test decides; `asked` counts the looks. */
const world = (first: KeptSettings | "away") =>
  Effect.gen(function* () {
    const kept = yield* Ref.make(first)
    const asked = yield* Ref.make(0)
    const store = ProjectSettings.of({
      get: () =>
        Effect.gen(function* () {
          yield* Ref.update(asked, (n) => n + 1)
          const now = yield* Ref.get(kept)
          if (now !== "away") return now
          return yield* new StoreError({ op: "test", cause: new Error("gone") })
        }),
      change: () => Effect.die("not asked for"),
      retention: Effect.succeed(new Map())
    })
    const decoders = yield* Decoders.make().pipe(Effect.provide(Layer.succeed(ProjectSettings, store)))
    const run = (...entries: ReadonlyArray<LogEntry>) =>
      Effect.map(decode(decoders, entries), (all) => all.flatMap(({ events }) => events.map(({ message }) => message)))
    return { kept, asked, run }
  })

describe("decoders", () => {
  it.effect("look a project up once, and change where the stream says so", () =>
    Effect.gen(function* () {
      const { asked, run } = yield* world(version(1, true))
      const told = JSON.stringify(version(2, false))
      assert.deepStrictEqual(yield* run(entry(line), entry(line), rules(told), entry(line)), [masked, masked, open])
      assert.deepStrictEqual(yield* run(rules(), entry(line)), [open])
      assert.strictEqual(yield* Ref.get(asked), 1)
    })
  )

  it.effect("keep what is in force when an older change is told later, or told again", () =>
    Effect.gen(function* () {
      const { run } = yield* world(version(5, false))
      const older = JSON.stringify(version(4, true))
      const newer = JSON.stringify(version(6, true))
      assert.deepStrictEqual(
        yield* run(entry(line), rules(older), entry(line), rules(newer), rules(older), entry(line)),
        [open, open, masked]
      )
    })
  )

  it.effect("need no store for a change, and look up what they can't read", () =>
    Effect.gen(function* () {
      const { asked, kept, run } = yield* world("away")
      assert.deepStrictEqual(yield* run(rules(JSON.stringify(version(1, false))), entry(line)), [open])
      assert.strictEqual(yield* Ref.get(asked), 0)
      yield* Ref.set(kept, version(2, true))
      assert.deepStrictEqual(yield* run(rules('{"version":"?"}'), entry(line)), [masked])
      assert.strictEqual(yield* Ref.get(asked), 1)
    })
  )

  it.effect("let no line through undecided while the store is away: it waits", () =>
    Effect.gen(function* () {
      const { kept, run } = yield* world("away")
      const waiting = yield* Effect.forkChild(run(entry(line)))
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(waiting.pollUnsafe())
      yield* Ref.set(kept, version(1, true))
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* Fiber.join(waiting), [masked])
    })
  )

  it.effect("leave out a pattern that can't be used, and keep the rest", () =>
    Effect.gen(function* () {
      const custom = [
        { name: "broken", pattern: "(", replacement: "" },
        { name: "good", pattern: "mail", replacement: "post" }
      ]
      const { run } = yield* world({ version: 1, settings: changed(defaultSettings, { redaction: { custom } }) })
      assert.deepStrictEqual(yield* run(entry(line)), [masked.replace("mail", "post")])
    })
  )
})
