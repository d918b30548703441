/** The tasks over uploaded files: compressed ones read like others, records become events, what a file is made of is told. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { readdirSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { LogFileId } from "../../src/domain/Ids.ts"
import { all } from "../../src/domain/Query.ts"
import { defaultProject as project } from "../../src/domain/Project.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import { TemplateBook } from "../../src/pipeline/TemplateBook.ts"
import { Blobs } from "../../src/store/Blobs.ts"
import { StoreError } from "../../src/store/Database.ts"
import { LogFiles } from "../../src/store/LogFiles.ts"
import { Logs } from "../../src/store/Logs.ts"
import { ProjectSettings } from "../../src/store/ProjectSettings.ts"
import { CompressLogFile, CompressLogFileLive } from "../../src/tasks/logs/compress_log_file.ts"
import { ExtractLogMetadata, ExtractLogMetadataLive } from "../../src/tasks/logs/extract_log_metadata.ts"
import { ParseStructuredLogs, ParseStructuredLogsLive } from "../../src/tasks/logs/parse_structured_logs.ts"
import { ProcessLogFile, ProcessLogFileLive } from "../../src/tasks/logs/process_log_file.ts"
import { formatOfHead } from "../../src/tasks/logs/Records.ts"
import { CleanupTempFiles, CleanupTempFilesLive } from "../../src/tasks/maintenance/cleanup_temp_files.ts"
import { TestEngine } from "../../src/testing.ts"
import { freshFolder } from "../support/folder.ts"
import { storeLayer } from "../support/postgres.ts"

const now = Date.UTC(2026, 10, 24, 12)

/** Everything that the tasks stand on, with a folder of its own. */
const world = () => {
  const folder = freshFolder()
  const tasks = Layer.mergeAll(
    CompressLogFileLive,
    ExtractLogMetadataLive,
    ParseStructuredLogsLive,
    ProcessLogFileLive,
    CleanupTempFilesLive
  )
  const below = TemplateBook.layer.pipe(
    Layer.provideMerge(Layer.mergeAll(Layer.fresh(TestEngine.layer), storeLayer(), Blobs.layer(folder)))
  )
  return { folder, below, layer: tasks.pipe(Layer.provideMerge(below)) }
}

const upload = Effect.fnUntraced(function* (name: string, body: string | Buffer) {
  const files = yield* LogFiles
  const blobs = yield* Blobs
  const id = yield* files.nextId
  const bytes = yield* blobs.write(
    id,
    (async function* () {
      yield Buffer.from(body)
    })(),
    1e9
  )
  return yield* files.create({ id, project, name, bytes })
})

const read = (id: LogFileId) =>
  Effect.flatMap(Blobs, (blobs) =>
    Effect.promise(async () => {
      const chunks: Array<Buffer> = []
      for await (const chunk of blobs.read(id) as AsyncIterable<Buffer>) chunks.push(chunk)
      return Buffer.concat(chunks).toString()
    })
  )

const drained = <A, E, R>(enqueue: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const id = yield* enqueue
    yield* (yield* TestEngine).drain
    return id
  })

const messages = Effect.gen(function* () {
  const logs = yield* Logs
  const { events } = yield* logs.search({ project, limit: 1_000, query: all })
  return events
})

describe("compress_log_file", () => {
  it.effect(
    "packs, checks, tells the ratio, and may run again; the file reads and processes as before",
    () => {
      const { folder, layer } = world()
      return Effect.gen(function* () {
        yield* TestClock.setTime(now)
        const text = Array.from({ length: 5_000 }, (_, i) => `level=info msg="line ${i}"`).join("\n")
        const file = yield* upload("a.log", text)
        const engine = yield* Engine
        const run = Effect.gen(function* () {
          return yield* engine.await(yield* drained(CompressLogFile.enqueue({ projectId: project, fileId: file.id })))
        })
        const first = (yield* run) as { bytes: number; compressedBytes: number; ratio: number }
        assert.strictEqual(first.bytes, Buffer.byteLength(text))
        assert.isAbove(first.ratio, 4)
        assert.deepStrictEqual(readdirSync(folder), [`${file.id}.zst`])
        assert.strictEqual(statSync(join(folder, `${file.id}.zst`)).size, first.compressedBytes)
        assert.strictEqual((yield* (yield* LogFiles).get(file.id))?.compressedBytes, first.compressedBytes)
        assert.deepStrictEqual(yield* run, first)
        assert.strictEqual(yield* read(file.id), text)
        yield* drained(ProcessLogFile.enqueue({ projectId: project, fileId: file.id }))
        assert.deepInclude(yield* (yield* LogFiles).get(file.id), { status: "processed", lines: 5_000 })
        // A kill between the two forms leaves both: the plain one is read, and packing again removes it.
        writeFileSync(join(folder, file.id), text)
        assert.deepStrictEqual(yield* run, first)
        assert.deepStrictEqual(readdirSync(folder), [`${file.id}.zst`])
      }).pipe(Effect.provide(layer))
    },
    60_000
  )

  it.effect(
    "fails for a file that is gone, and for another project's",
    () => {
      const { layer } = world()
      return Effect.gen(function* () {
        const file = yield* upload("a.log", "x")
        yield* (yield* Blobs).remove(file.id)
        const engine = yield* Engine
        for (const fileId of [file.id, "file_none" as LogFileId]) {
          const id = yield* drained(CompressLogFile.enqueue({ projectId: project, fileId }))
          const error = yield* Effect.flip(engine.await(id))
          assert.include(JSON.stringify(error), "LogFileUnreadable")
        }
      }).pipe(Effect.provide(layer))
    },
    60_000
  )
})

describe("parse_structured_logs", () => {
  const cases: ReadonlyArray<readonly [name: string, body: string, format: string, rejected: number]> = [
    [
      "a.json",
      '[{"time":"2026-11-24T10:00:00Z","level":"error","msg":"one","user":{"id":7}},\n{"level":"info","msg":"two"}, 3]',
      "json",
      1
    ],
    ["a.ndjson", '{"level":"error","msg":"one","user":{"id":7}}\n{"level":"info","msg":"two"}\nnope\n', "ndjson", 1],
    ["a.csv", '\uFEFFlevel,msg,user.id,note\r\nerror,one,7,"a, ""b""\nc"\r\ninfo,two,,\r\nonly,three\r\n', "csv", 1],
    ["a.tsv", 'level\tmsg\tuser.id\nerror\tone\t7\ninfo\ttwo\t"\n', "tsv", 0]
  ]
  for (const [name, body, format, rejected] of cases) {
    it.effect(
      `reads ${format}, tells what it can't, and stores nothing twice`,
      () => {
        const { layer } = world()
        return Effect.gen(function* () {
          yield* TestClock.setTime(now)
          const file = yield* upload(name, body)
          const engine = yield* Engine
          for (let again = 0; again < 2; again++) {
            const id = yield* drained(ParseStructuredLogs.enqueue({ projectId: project, fileId: file.id }))
            const result = (yield* engine.await(id)) as {
              format: string
              rows: number
              columns: ReadonlyArray<string>
              rejected: ReadonlyArray<{ line: number; reason: string }>
              rejectedTotal: number
            }
            assert.deepInclude(result, { format, rows: 2, rejectedTotal: rejected })
            assert.includeMembers([...result.columns], ["level", "msg"])
            for (const { line, reason } of result.rejected)
              assert.isTrue(line >= 1 && reason.startsWith("expected"), reason)
          }
          const events = yield* messages
          assert.deepStrictEqual(events.map(({ level, message }) => `${level} ${message}`).toSorted(), [
            "error one",
            "info two"
          ])
          const { attributes } = events.find(({ message }) => message === "one")!
          assert.strictEqual(JSON.stringify(attributes).includes("7"), true)
          if (format === "csv") assert.strictEqual(attributes["note"], 'a, "b"\nc')
        }).pipe(Effect.provide(layer))
      },
      60_000
    )
  }

  it("knows a format by its name or its beginning", () => {
    assert.strictEqual(formatOfHead("x", '[{"a":1}]'), "json")
    assert.strictEqual(formatOfHead("x", '{\n  "a": 1\n}'), "json")
    assert.strictEqual(formatOfHead("x", '{"a":1}\n{"a":2}'), "ndjson")
    assert.strictEqual(formatOfHead("x.csv", "a\tb,c"), "csv")
    assert.strictEqual(formatOfHead("x", "a\tb"), "tsv")
    assert.strictEqual(formatOfHead("x", ""), "csv")
  })
})

describe("extract_log_metadata", () => {
  it.effect(
    "tells what a file is made of, and the file shows it",
    () => {
      const { layer } = world()
      return Effect.gen(function* () {
        yield* TestClock.setTime(now)
        const long = "x".repeat(300_000)
        const body = [
          '{"time":"2026-11-24T10:00:00Z","level":"error","msg":"eins","service":"api"}\r',
          "time=2026-11-24T10:00:05Z level=info service=web msg=zwei",
          `ümlaut ${"y".repeat(50)}`,
          long,
          "last"
        ].join("\n")
        const file = yield* upload("mixed.log", body)
        const engine = yield* Engine
        const id = yield* drained(ExtractLogMetadata.enqueue({ projectId: project, fileId: file.id }))
        const found = yield* engine.await(id)
        const metadata = yield* (yield* LogFiles).getMetadata(file.id)
        assert.deepStrictEqual({ projectId: project, ...metadata }, found)
        assert.deepInclude(metadata, {
          bytes: Buffer.byteLength(body),
          firstTime: "2026-11-24T10:00:00.000Z",
          encoding: "utf-8",
          lineEnds: { lf: 3, crlf: 1 },
          endsWithLineEnd: false,
          longestLine: { bytes: 300_000, line: 4 },
          tooLong: 1
        })
        assert.deepInclude(metadata?.byLevel, { error: 1, info: 1 })
        assert.deepInclude(metadata?.byService, { api: 1, web: 1 })
        assert.deepInclude(metadata?.byFormat, { json: 1, logfmt: 1 })
      }).pipe(Effect.provide(layer))
    },
    60_000
  )

  it.effect(
    "knows encodings, also where a character is cut in two",
    () => {
      const { layer } = world()
      return Effect.gen(function* () {
        const engine = yield* Engine
        const encodings = [
          ["ascii", Buffer.from("a\nb\n")],
          ["utf-8 with BOM", Buffer.from("\uFEFFa\n")],
          ["utf-16le", Buffer.from("\uFEFFa\n", "utf16le")],
          ["mixed", Buffer.from([0x61, 0xe9, 0x0a])],
          ["utf-8", Buffer.from("é".repeat(100_001))]
        ] as const
        for (const [encoding, body] of encodings) {
          const file = yield* upload("a.log", body)
          const id = yield* drained(ExtractLogMetadata.enqueue({ projectId: project, fileId: file.id }))
          assert.deepInclude(yield* engine.await(id), { encoding })
        }
      }).pipe(Effect.provide(layer))
    },
    60_000
  )
})

describe("process_log_file", () => {
  it.effect(
    "decodes by its project's settings",
    () => {
      const { layer } = world()
      return Effect.gen(function* () {
        yield* TestClock.setTime(now)
        const settings = yield* ProjectSettings
        const rule = { name: "patient", pattern: "patient-\\d+", replacement: "patient-…" }
        yield* settings.change(project, { redaction: { builtIn: { email: false }, custom: [rule] } })
        const file = yield* upload("a.log", "patient-17 of bob@example.com with password=hunter2!")
        yield* drained(ProcessLogFile.enqueue({ projectId: project, fileId: file.id }))
        assert.deepStrictEqual(
          (yield* messages).map(({ message }) => message),
          ["patient-… of bob@example.com with password=[redacted]"]
        )
      }).pipe(Effect.provide(layer))
    },
    60_000
  )
})

describe("process_log_file, tried again", () => {
  const asked: Array<string> = []
  const failing = Layer.effect(
    Logs,
    Effect.map(Logs, (real) =>
      Logs.of({
        ...real,
        append: (batches) => {
          asked.push(...batches.map(({ id }) => id.slice(id.lastIndexOf("."))))
          return asked.length === 2
            ? Effect.fail(
                new StoreError({ op: "test", cause: Object.assign(new Error("away"), { code: "ECONNREFUSED" }) })
              )
            : real.append(batches)
        }
      })
    )
  )
  it.effect(
    "stores only what the first attempt had not, read with the header that stands before it",
    () => {
      const { below } = world()
      return Effect.gen(function* () {
        yield* TestClock.setTime(now)
        const rows = Array.from({ length: 4_500 }, (_, i) => `2026-11-24 12:00:00 GET /row/${i} 200`)
        const text = ["#Version: 1.0", "#Fields: date time cs-method cs-uri-stem sc-status", ...rows].join("\n")
        const file = yield* upload("w3c.log", text)
        yield* drained(ProcessLogFile.enqueue({ projectId: project, fileId: file.id }))
        assert.deepStrictEqual(asked, [".0", ".1"])
        yield* TestClock.adjust("1 minute")
        yield* (yield* TestEngine).drain
        assert.deepStrictEqual(asked, [".0", ".1", ".1", ".2"])
        const { lines, status } = (yield* (yield* LogFiles).get(file.id))!
        assert.strictEqual(status, "processed")
        const logs = yield* Logs
        const window = { observedFrom: now - 60_000, observedTo: now + 60_000 }
        assert.strictEqual(yield* logs.count({ project, query: all, ...window }), lines)
        const { events } = yield* logs.search({ project, limit: 1_000, query: all })
        assert.isTrue(events.every(({ attributes }) => attributes["http.request.method"] === "GET"))
      }).pipe(Effect.provide(ProcessLogFileLive.pipe(Layer.provide(failing), Layer.provideMerge(below))))
    },
    60_000
  )
})

describe("cleanup_temp_files", () => {
  it.effect(
    "removes half uploads that nobody writes to any more, and nothing else",
    () => {
      const { folder, layer } = world()
      return Effect.gen(function* () {
        const real = Date.now()
        yield* TestClock.setTime(real)
        const file = yield* upload("a.log", "x")
        for (const [name, hours] of [
          ["old.part", 30],
          ["young.part", 1],
          [`${file.id}.zst.part`, 30],
          ["old", 30]
        ] as const) {
          writeFileSync(join(folder, name), "half")
          utimesSync(join(folder, name), new Date(real), new Date(real - hours * 3_600_000))
        }
        const engine = yield* Engine
        const id = yield* drained(CleanupTempFiles.enqueue({}))
        assert.deepStrictEqual(yield* engine.await(id), { files: 2, bytes: 8 })
        assert.deepStrictEqual(readdirSync(folder).toSorted(), [file.id, "old", "young.part"].toSorted())
      }).pipe(Effect.provide(layer))
    },
    60_000
  )
})
