import { afterEach, beforeEach, describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import {
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile
} from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { gzipSync } from "node:zlib"
import { type TailBatch, type TailOptions, make } from "../../src/ingest/sources/file_tail.ts"
import { continued } from "../../src/parse/Multiline.ts"

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
  Effect.map(make({ patterns: [at("*.log*")], rescan: 0, multiline: false, ...options }), ({ turn }) => ({
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

  it.effect(
    "hands over what it had held back of a file that is emptied, once and also when it is refused at first",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { next, turn } = yield* following({
            from: "start",
            multiline: true,
            positionsFile: at("positions.json")
          })
          yield* write("a.log", "one\nheld\nhalf")
          expect(yield* next).toEqual(["a.log: one"])
          yield* io(() => truncate(at("a.log")))
          yield* append("a.log", "anew\nlast\n")
          expect(yield* Effect.flip(turn(() => Effect.fail("full" as const)))).toBe("full")
          const batches: Array<TailBatch> = []
          yield* turn((batch) => Effect.sync(() => void batches.push(batch)))
          expect(batches.map(({ lines }) => lines)).toEqual([["held", "half"], ["anew"]])
          expect(new Set(batches.map(({ key }) => key)).size).toBe(2)
          yield* TestClock.adjust("1 second")
          expect(yield* next).toEqual(["a.log: last"])
          yield* io(() => truncate(at("a.log")))
          expect(yield* next).toEqual([])
        })
      )
  )

  it.effect("reads a file to its end that was renamed between two runs to a name that is not followed", () =>
    Effect.gen(function* () {
      const options = { positionsFile: at("positions.json"), from: "start", patterns: [at("*.log")] } as const
      yield* write("a.log", "1\n")
      yield* write("b.log", "1\n")
      yield* Effect.scoped(Effect.flatMap(following(options), ({ next }) => next))
      yield* append("a.log", "2\n")
      yield* io(() => rename(at("a.log"), at("a.log.1")))
      yield* write("a.log", "3\n")
      // Its number stays, its content is another one's.
      yield* io(() => rename(at("b.log"), at("notes.txt")))
      yield* write("notes.txt", "not a log of ours\n")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { next } = yield* following(options)
          expect((yield* next).toSorted()).toEqual(["a.log.1: 2", "a.log: 3"])
          yield* TestClock.adjust("6 seconds")
          yield* append("a.log.1", "of no more concern\n")
          yield* next
          expect(yield* next).toEqual([])
        })
      )
    })
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

  it.effect("makes one event of a stack trace, waiting a second for more of it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* write("a.log", "ok\nERROR x\njava.lang.Error: y\n")
        const { next } = yield* following({ from: "start", multiline: true })
        expect(yield* next).toEqual(["a.log: ok"])
        yield* append("a.log", "\tat f(F.java:1)\n")
        expect(yield* next).toEqual([])
        yield* TestClock.adjust("1 second")
        expect(yield* next).toEqual(["a.log: ERROR x\njava.lang.Error: y\n\tat f(F.java:1)"])
        yield* append("a.log", "one\ntwo\n")
        expect(yield* next).toEqual(["a.log: one"])
        yield* TestClock.adjust("1 second")
        expect(yield* next).toEqual(["a.log: two"])
      })
    )
  )

  it.effect("hands over the same range under the same key after a crash, though the file grew and was renamed", () =>
    Effect.gen(function* () {
      const options = { positionsFile: at("positions.json"), from: "start" } as const
      const batches: Array<TailBatch> = []
      /** One look by a process that dies when it has handed over: nothing is closed, nothing saved. */
      const crash = Effect.gen(function* () {
        const { turn } = yield* make({ patterns: [at("*.log*")], rescan: 0, ...options })
        yield* Effect.flip(
          turn((batch) =>
            Effect.andThen(
              Effect.sync(() => batches.push(batch)),
              Effect.fail("crash")
            )
          )
        )
        return yield* io(() => copyFile(at("positions.json"), at("kept")))
      })
      yield* write("a.log", "1\n2\nunder way\n")
      yield* Effect.scoped(crash)
      yield* io(() => copyFile(at("kept"), at("positions.json")))
      yield* append("a.log", "3\n4\n")
      yield* io(() => rename(at("a.log"), at("a.log.1")))
      yield* Effect.scoped(crash)
      yield* io(() => copyFile(at("kept"), at("positions.json")))
      expect(batches[1]).toEqual(batches[0])
      expect(batches[0]?.lines).toEqual(["1", "2"])
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { next, turn } = yield* following({ ...options, multiline: true })
          const again: Array<TailBatch> = []
          yield* turn((batch) => Effect.sync(() => void again.push(batch)))
          expect(again[0]).toEqual(batches[0])
          expect(again[1]?.key).not.toBe(again[0]?.key)
          yield* TestClock.adjust("2 seconds")
          expect([...again.slice(1).flatMap(({ lines }) => lines), ...(yield* next)].join()).toBe(
            "under way,3,a.log.1: 4"
          )
        })
      )
    })
  )

  it.effect("gives another key to the same beginning of a file that was emptied", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const keys: Array<string> = []
        yield* write("a.log", "banner\n")
        const { turn } = yield* following({ from: "start" })
        const look = turn(({ key }) => Effect.sync(() => void keys.push(key)))
        yield* look
        yield* io(() => truncate(at("a.log")))
        yield* look
        yield* append("a.log", "banner\n")
        yield* look
        expect(keys).toHaveLength(2)
        expect(keys[0]).not.toBe(keys[1])
      })
    )
  )

  it.effect("cuts a line of 1 MB and marks the parts, losing nothing", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const long = "é".repeat(500_000)
        yield* write("a.log", `${long}\nnext\n`)
        const { next } = yield* following({ from: "start" })
        const seen = (yield* next).map((line) => line.slice("a.log: ".length))
        expect(seen.length).toBeGreaterThan(2)
        expect(seen.at(-1)).toBe("next")
        const parts = seen.slice(0, -1)
        expect(parts.slice(1).every((part) => part.startsWith(continued))).toBe(true)
        expect(parts.map((part, i) => (i === 0 ? part : part.slice(continued.length))).join("")).toBe(long)
      })
    )
  )

  it.effect("follows a symbolic link to where it points now, and reads no file twice by two names", () =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* io(() => mkdir(at("data")))
        yield* write("data/1", "one\n")
        yield* write("data/2", "two\n")
        yield* io(() => symlink(at("data/1"), at("a.log")))
        yield* io(() => symlink(at("data/1"), at("b.log")))
        const { next } = yield* following({ from: "start" })
        expect(yield* next).toEqual(["a.log: one"])
        yield* io(() => rm(at("a.log")))
        yield* io(() => symlink(at("data/2"), at("a.log")))
        yield* append("data/1", "late\n")
        expect((yield* next).map((line) => line.slice("a.log: ".length)).toSorted()).toEqual(["late", "two"])
      })
    )
  )

  it.effect(
    "follows thousands of files",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const names = Array.from({ length: 2_000 }, (_, i) => `${i}.log`)
          yield* io(() => Promise.all(names.map((name) => writeFile(at(name), `${name}\n`))))
          const { next } = yield* following({ from: "start", positionsFile: at("positions.json") })
          expect(yield* next).toHaveLength(2_000)
          yield* TestClock.adjust("2 minutes")
          expect(yield* next).toEqual([])
          yield* append("1999.log", "more\n")
          expect(yield* next).toEqual(["1999.log: more"])
        })
      ),
    60_000
  )
})
