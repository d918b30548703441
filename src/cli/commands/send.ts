/**
 * `loglytics send FILE…`: sends files (or standard input as `-`) to POST /v1/logs in parts cut at line ends. A part that is
 * refused for now is sent again under the same Idempotency-Key, so that each line is added once.
 */
import { Effect, Schedule } from "effect"
import { Argument, Command } from "effect/cli"
import { randomUUID } from "node:crypto"
import { createReadStream } from "node:fs"
import type { Readable } from "node:stream"
import { createGunzip } from "node:zlib"
import { CliFailure, line, server } from "../context.ts"
import * as flags from "../flags.ts"

/** Bytes of a part, about. */
const partBytes = 4 * 1_024 * 1_024

interface Answer {
  readonly accepted: number
  readonly rejectedTotal: number
  readonly rejected: ReadonlyArray<{ readonly line: number; readonly reason: string }>
}

/** The server can't take the part now. */
class TryAgain extends CliFailure {}

const open = (path: string): Readable => {
  if (path === "-") return process.stdin
  const file = createReadStream(path, { highWaterMark: 1 << 20 })
  if (!path.endsWith(".gz")) return file
  const unpacked = createGunzip()
  file.on("error", (error) => unpacked.destroy(error))
  return file.pipe(unpacked)
}

/** Cuts a stream into parts that end with a line. */
async function* partsOf(stream: Readable): AsyncGenerator<Buffer> {
  let held: Array<Buffer> = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    held.push(chunk)
    size += chunk.length
    if (size < partBytes) continue
    const all = Buffer.concat(held)
    const end = all.lastIndexOf(10) + 1
    if (end === 0) continue
    yield all.subarray(0, end)
    held = [all.subarray(end)]
    size = all.length - end
  }
  if (size > 0) yield Buffer.concat(held)
}

const post = (url: string, key: string, project: string, part: Buffer, idempotencyKey: string) =>
  Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(`${url}/v1/logs`, {
        method: "POST",
        signal,
        headers: {
          authorization: `Bearer ${key}`,
          "x-loglytics-project": project,
          "content-type": "text/plain",
          "idempotency-key": idempotencyKey
        },
        body: new Uint8Array(part)
      })
      const text = await response.text()
      if (response.status === 202) return JSON.parse(text) as Answer
      const message = `${url} answered ${response.status}: ${text.slice(0, 500)}`
      throw response.status === 429 || response.status >= 500 ? new TryAgain({ message }) : new CliFailure({ message })
    },
    catch: (error) =>
      error instanceof CliFailure
        ? error
        : new TryAgain({
            message: `${url} can't be reached: ${error instanceof Error ? error.message : String(error)}`
          })
  }).pipe(
    Effect.tapError((error) =>
      Effect.sync(() => {
        if (error instanceof TryAgain) process.stderr.write(`${error.message}; trying again\n`)
      })
    ),
    Effect.retry({
      schedule: Schedule.min([Schedule.exponential("500 millis"), Schedule.spaced("5 seconds")]).pipe(
        Schedule.upTo({ duration: "2 minutes" })
      ),
      while: (error) => error instanceof TryAgain
    })
  )

const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r${text}\u001b[K`)
}

const sendFile = Effect.fnUntraced(function* (path: string, to: { url: string; key: string }, project: string) {
  const run = randomUUID()
  const started = performance.now()
  const parts = partsOf(open(path))
  let index = 0
  let accepted = 0
  let rejected = 0
  for (;;) {
    const step = yield* Effect.tryPromise({
      try: () => parts.next(),
      catch: (error) =>
        new CliFailure({ message: `${path}: ${error instanceof Error ? error.message : String(error)}` })
    })
    if (step.done === true) break
    const answer = yield* post(to.url, to.key, project, step.value, `${run}.${index++}`)
    accepted += answer.accepted
    rejected += answer.rejectedTotal
    for (const one of answer.rejected.slice(0, 3))
      process.stderr.write(`\n${path}: part ${index}, line ${one.line}: ${one.reason}\n`)
    progress(`${path}: ${accepted} lines`)
  }
  const seconds = (performance.now() - started) / 1_000
  progress("")
  if (process.stderr.isTTY) process.stderr.write("\r")
  line(
    `${path}: ${accepted} lines accepted${rejected > 0 ? `, ${rejected} rejected` : ""} in ${seconds.toFixed(1)} s` +
      ` (${Math.round(accepted / Math.max(seconds, 0.001))} lines/s)`
  )
})

export const send = Command.make(
  "send",
  {
    files: Argument.String("file").pipe(
      Argument.withDescription("files to send; .gz is unpacked; - reads standard input"),
      Argument.atLeast(1)
    ),
    project: flags.project,
    url: flags.url,
    key: flags.key
  },
  Effect.fnUntraced(function* ({ files, key, project, url }) {
    const to = yield* server({ url, key })
    for (const file of files) yield* sendFile(file, to, project)
  })
).pipe(Command.withDescription("Send log files to a Loglytics server"))
