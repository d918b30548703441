/**
 * Reading an uploaded file record by record, in batches of the same cut each time: JSON array, NDJSON, CSV, TSV. Each record
 * is handed on as a line of JSON. Memory holds one batch, one chunk and one record.
 */
import { parse as csvParser, type CsvError } from "csv-parse"
import { Effect, Schema } from "effect"
import type { Readable } from "node:stream"
import { lineMax, makeLineDecoder } from "../../ingest/protocols/ndjson.ts"
import { type Rejection, Rejections } from "../../ingest/protocols/Rejections.ts"
import { LogFileUnreadable } from "./Lines.ts"

export const RecordFormat = Schema.Literals(["json", "ndjson", "csv", "tsv"])
export type RecordFormat = typeof RecordFormat.Type

export interface RecordsFound {
  readonly rows: number
  readonly columns: ReadonlyArray<string>
  readonly rejected: ReadonlyArray<Rejection>
  readonly rejectedTotal: number
}

/** Records per batch. */
const batchRecords = 1_000
const columnsMax = 256

const unreadable = (fileId: string) => (error: unknown) =>
  new LogFileUnreadable({
    fileId,
    reason: error instanceof Error ? error.message : String(error),
    retryable: !(error instanceof Error && "code" in error && error.code === "ENOENT")
  })

/** The format of a file by its name, else by its first characters. Pure. */
export const formatOfHead = (name: string, head: string): RecordFormat => {
  const text = head.replace(/^\uFEFF/u, "").trimStart()
  if (text.startsWith("[")) return "json"
  if (text.startsWith("{")) return /^[^\n]*\}[ \t\r]*(?:\n|$)/u.test(text) ? "ndjson" : "json"
  if (/\.tsv$/iu.test(name)) return "tsv"
  const first = text.split("\n", 1)[0] ?? ""
  return first.includes("\t") && !/\.csv$/iu.test(name) ? "tsv" : "csv"
}

export const guessFormat = (
  source: Readable,
  fileId: string,
  name: string
): Effect.Effect<RecordFormat, LogFileUnreadable> =>
  Effect.tryPromise({
    try: async () => {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        return formatOfHead(name, chunk.toString("utf8", 0, 4_096))
      }
      return formatOfHead(name, "")
    },
    catch: unreadable(fileId)
  })

/** Names of columns as they first come. */
class Columns {
  readonly names = new Set<string>()
  see(record: object): void {
    if (this.names.size >= columnsMax) return
    for (const key of Object.keys(record)) if (this.names.size < columnsMax) this.names.add(key)
  }
}

/** JSON objects, each as it is written. */
async function* jsonRecords(
  source: Readable,
  mode: "json" | "ndjson",
  columns: Columns,
  rejections: (found: { list: ReadonlyArray<Rejection>; total: number }) => void
): AsyncGenerator<string> {
  const decoder = makeLineDecoder(mode)
  const seen = function* (lines: ReadonlyArray<string>): Generator<string> {
    for (const line of lines) {
      // A string in an array is a line of its own: it has no fields.
      if (line.startsWith("{")) columns.see(JSON.parse(line) as object)
      yield line
    }
  }
  for await (const chunk of source as AsyncIterable<Buffer>) yield* seen(decoder.push(chunk))
  yield* seen(decoder.end())
  rejections({ list: decoder.rejected, total: decoder.rejectedTotal })
}

/** Fields of a row as JSON: numbers and booleans as such, empty fields left out. */
const valueOf = (text: string): unknown => {
  if (/^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/u.test(text)) return Number(text)
  return text === "true" ? true : text === "false" ? false : text
}

/** Rows of a table, by the names in its first line. */
async function* tableRecords(
  source: Readable,
  delimiter: string,
  columns: Columns,
  rejections: Rejections
): AsyncGenerator<string> {
  const parser = csvParser({
    bom: true,
    delimiter,
    // Rows of a TSV file hold quotes as they are.
    quote: delimiter === "\t" ? null : '"',
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: lineMax,
    info: true
  })
  parser.on("skip", (error: CsvError | undefined) =>
    rejections.add((error as { readonly lines?: number } | undefined)?.lines ?? 0, error?.message ?? "unreadable")
  )
  source.on("error", (error) => parser.destroy(error))
  source.pipe(parser)
  let names: ReadonlyArray<string> | undefined
  for await (const row of parser as AsyncIterable<{ record: ReadonlyArray<string>; info: { lines: number } }>) {
    const { info, record } = row
    if (names === undefined) {
      names = record.map((name, index) => (name.trim() === "" ? `column_${index + 1}` : name.trim()))
      continue
    }
    if (record.length !== names.length) {
      rejections.add(info.lines, `expected ${names.length} fields, got ${record.length}`)
      continue
    }
    const fields: Record<string, unknown> = {}
    for (const [index, name] of names.entries()) {
      const text = record[index] ?? ""
      if (text !== "" && name !== "__proto__") fields[name] = valueOf(text)
    }
    yield JSON.stringify(fields)
  }
  columns.see(Object.fromEntries((names ?? []).map((name) => [name, 0])))
}

/**
 * Hands a file's records to `f`, each as JSON on one line. `index` counts batches from 0, `readBytes` is how far the file has
 * been read.
 */
export const eachRecords = <E, R>(
  source: Readable,
  fileId: string,
  format: RecordFormat,
  f: (records: ReadonlyArray<string>, index: number, readBytes: number) => Effect.Effect<void, E, R>
): Effect.Effect<RecordsFound, E | LogFileUnreadable, R> =>
  Effect.gen(function* () {
    const columns = new Columns()
    const rejections = new Rejections()
    let rejected = { list: rejections.list as ReadonlyArray<Rejection>, total: 0 }
    let readBytes = 0
    source.on("data", (chunk: Buffer) => void (readBytes += chunk.length))
    source.pause()
    const records =
      format === "json" || format === "ndjson"
        ? jsonRecords(source, format, columns, (found) => void (rejected = found))
        : tableRecords(source, format === "tsv" ? "\t" : ",", columns, rejections)
    const next = Effect.tryPromise({ try: () => records.next(), catch: unreadable(fileId) })
    let rows = 0
    let index = 0
    let waiting: Array<string> = []
    for (;;) {
      const step = yield* next
      if (step.done !== true) waiting.push(step.value)
      if (waiting.length > 0 && (step.done === true || waiting.length >= batchRecords)) {
        yield* f(waiting, index++, readBytes)
        rows += waiting.length
        waiting = []
      }
      if (step.done === true) break
    }
    if (format === "csv" || format === "tsv") rejected = { list: rejections.list, total: rejections.total }
    return { rows, columns: [...columns.names], rejected: [...rejected.list], rejectedTotal: rejected.total }
  }).pipe(Effect.ensuring(Effect.sync(() => source.destroy())))
