import { afterEach, beforeEach, describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { appendFile, copyFile, mkdir, mkdtemp, readFile, rename, rm, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { gzipSync } from "node:zlib"
import { type TailOptions, make } from "../../src/ingest/sources/file_tail.ts"

let dir = ""
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "loglytics-tail-"))
})
afterEach(() => rm(dir, { recursive: true }))

const at = (name: string): string => join(dir, name)
const io = (action: () => Promise<unknown>): Effect.Effect<void> => Effect.asVoid(Effect.promise(action))
const write = (name: string, text: string | Buffer): Effect.Effect<void> => io(() => writeFile(at(name), text))
const append = (name: string, text: string): Effect.Effect<void> => io(() => appendFile(at(name), text))

/** A follower whose `next` answers the lines of one look, as "file: line". */
const following = (options: Partial<TailOptions> = {}) =>
  Effect.map(make({ patterns: [at("*.log*")], rescan: 0, ...options }), ({ turn }) => ({
    turn,
    next: Effect.gen(function* () {
      const seen: Array<string> = []
      yield* turn(({ lines, path }) =>
        Effect.sync(() => void seen.push(...lines.map((line) => `${basename(path)}: ${line}`)))
      )
      return seen
    })
  }))

describe("file_tail", () => {
  it.effect("begins at the end, with the line under way, and reads whole lines only", () =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* write("a.log", "old\nunder w")
        const { next } = yield* following()
        expect(yield* next).toEqual([])
        yield* append("a.log", "ay\r\nnew é")
        expect(yield* next).toEqual(["a.log: under way"])
        yield* append("a.log", "\n\n")
        expect(yield* next).toEqual(["a.log: new é"])
        expect(yield* next).toEqual([])
      })
    )
  )

  it.effect("begins at the start when told, and reads files that appear later whole", () =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* write("a.log", "one\ntwo\n")
        const { next } = yield* following({ from: "start" })
        expect(yield* next).toEqual(["a.log: one", "a.log: two"])
        yield* write("b.log", "three\n")
        expect(yield* next).toEqual(["b.log: three"])
      })
    )
  )

  it.effect("follows a rotation by renaming: the old file to its end, the new from its start", () =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* write("a.log", "")
        const { next } = yield* following({ patterns: [at("*.log")] })
        yield* append("a.log", "1\n")
        expect(yield* next).toEqual(["a.log: 1"])
        yield* append("a.log", "2\n")
        yield* io(() => rename(at("a.log"), at("a.old")))
        yield* write("a.log", "3\n")
        expect((yield* next).toSorted()).toEqual(["a.log: 2", "a.log: 3"])
        // The writer has not noticed yet; its last line has no end.
        yield* append("a.old", "4\n5")
        expect(yield* next).toEqual(["a.log: 4"])
        yield* TestClock.adjust("6 seconds")
        expect(yield* next).toEqual(["a.log: 5"])
      })
    )
  )

  it.effect("does not read a file again under its new name", () =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* write("a.log", "1\n")
        const { next } = yield* following({ from: "start" })
        yield* next
        yield* io(() => rename(at("a.log"), at("a.log.1")))
        yield* write("a.log", "2\n")
        expect(yield* next).toEqual(["a.log: 2"])
        yield* TestClock.adjust("1 minute")
        expect(yield* next).toEqual([])
      })
    )
  )

  it.effect("follows a rotation by copying and emptying", () =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* write("a.log", "first line\nsecond\n")
        const { next } = yield* following({ from: "start", patterns: [at("a.log")] })
        expect(yield* next).toEqual(["a.log: first line", "a.log: second"])
        yield* io(() => copyFile(at("a.log"), at("a.1")))
        yield* io(() => truncate(at("a.log")))
        expect(yield* next).toEqual([])
        yield* append("a.log", "x\n")
        expect(yield* next).toEqual(["a.log: x"])
        // Emptied and filled further than before between two looks: known by its first bytes.
        yield* io(() => truncate(at("a.log")))
        yield* append("a.log", "quite another beginning\nmore\n")
        expect(yield* next).toEqual(["a.log: quite another beginning", "a.log: more"])
      })
    )
  )

  it.effect("goes on after a restart where it was, and reads what came meanwhile", () =>
    Effect.gen(function* () {
      const options = { positionsFile: at("positions.json"), from: "start" } as const
      yield* write("a.log", "1\n")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { next } = yield* following(options)
          expect(yield* next).toEqual(["a.log: 1"])
        })
      )
      yield* append("a.log", "2\n")
      yield* io(() => rename(at("a.log"), at("a.log.1")))
      yield* write("a.log", "3\n")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { next } = yield* following(options)
          expect((yield* next).toSorted()).toEqual(["a.log.1: 2", "a.log: 3"])
        })
      )
      // The place of a file whose number was given to another one is not its own.
      yield* write("a.log", "anew and longer\n")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { next } = yield* following(options)
          expect(yield* next).toEqual(["a.log: anew and longer"])
        })
      )
    })
  )

  it.effect("saves no position before the lines are taken, so a failure repeats them", () =>
    Effect.gen(function* () {
      const options = { positionsFile: at("positions.json"), from: "start" } as const
      yield* write("a.log", "1\n2\n")
      const failure = yield* Effect.scoped(
        Effect.gen(function* () {
          const { turn } = yield* following(options)
          return yield* Effect.flip(turn(() => Effect.fail("full" as const)))
        })
      )
      expect(failure).toBe("full")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { next } = yield* following(options)
          expect(yield* next).toEqual(["a.log: 1", "a.log: 2"])
        })
      )
    })
  )

  it.effect("starts over with a positions file that was cut short", () =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* write("positions.json", '{"files":')
        yield* write("a.log", "1\n")
        const { next } = yield* following({ positionsFile: at("positions.json"), from: "start" })
        expect(yield* next).toEqual(["a.log: 1"])
        yield* Effect.promise(async () => JSON.parse(await readFile(at("positions.json"), "utf8")) as unknown)
      })
    )
  )

  it.effect("leaves binary and packed files and folders alone", () =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* write("a.log.gz", gzipSync("x\n"))
        yield* write("b.log", Buffer.from([1, 0, 2, 10]))
        yield* io(() => mkdir(at("c.log")))
        yield* write("d.log", "text\n")
        const { next } = yield* following({ from: "start" })
        expect(yield* next).toEqual(["d.log: text"])
      })
    )
  )

  it.effect("cuts a line that never ends, not within a character, and reads a big file to its end", () =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* write("a.log", `${"é".repeat(300 * 1024)}\n${"line\n".repeat(200_000)}`)
        const { next } = yield* following({ from: "start" })
        const lines = yield* next
        expect(lines.filter((line) => line === "a.log: line").length).toBe(200_000)
        expect(lines.some((line) => line.includes("\uFFFD"))).toBe(false)
        expect(lines.join("").split("é").length - 1).toBe(300 * 1024)
      })
    )
  )
})
