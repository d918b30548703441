/**
 * POST /v1/logs: a body of any size becomes batches on the log stream while it arrives. Promises that at most one batch and
 * one chunk are held in memory, that a slow pipeline slows the sender down before it is refused, and that every line is
 * either accepted or named as rejected.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Clock, Duration, Effect } from "effect"
import { HttpServerRequest } from "effect/http"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Readable } from "node:stream"
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib"
import type { ProjectId } from "../../domain/Ids.ts"
import { type LineMode, makeLineDecoder } from "../../ingest/protocols/ndjson.ts"
import * as Multiline from "../../parse/Multiline.ts"
import { LogStream } from "../../streams/LogStream.ts"
import { type NotTaken, taker } from "../../streams/Taking.ts"
import { invalid, TooBusy, TooLarge, Unavailable } from "../Errors.ts"

/** How long a sender is slowed down by a full stream before it is refused. */
const patience = Duration.seconds(20)

/** Longest line, bytes; a longer one is named as rejected. */
const lineMax = 1_024 * 1_024

export interface IngestLimits {
  /** Largest unpacked body, bytes. */
  readonly bodyMax: number
}

const modeOf = (contentType: string | undefined): LineMode => {
  const type = (contentType ?? "").split(";")[0]?.trim().toLowerCase()
  if (type === "application/json") return "json"
  return type === "application/x-ndjson" || type === "application/jsonl" || type === "application/x-jsonlines"
    ? "ndjson"
    : "text"
}

const unpackers: ReadonlyMap<string, () => NodeJS.ReadWriteStream & Readable> = new Map<
  string,
  () => NodeJS.ReadWriteStream & Readable
>([
  ["gzip", createGunzip],
  ["x-gzip", createGunzip],
  ["deflate", createInflate],
  ["br", createBrotliDecompress],
  ["zstd", createZstdDecompress]
])

/** The request's body, unpacked, as a stream of chunks. One in an encoding of `packings` is handed on as it is. */
export const openBody = Effect.fnUntraced(function* (limits: IngestLimits, packings: ReadonlyArray<string> = []) {
  const request = yield* HttpServerRequest.HttpServerRequest
  const message = NodeHttpServerRequest.toIncomingMessage(request) as IncomingMessage
  const length = Number(message.headers["content-length"] ?? 0)
  if (length > limits.bodyMax) return yield* tooLarge(limits)
  const encoding = (message.headers["content-encoding"] ?? "identity").trim().toLowerCase()
  const unpacker = packings.includes(encoding) ? undefined : unpackers.get(encoding)
  if (encoding !== "identity" && unpacker === undefined && !packings.includes(encoding)) {
    return yield* invalid("Content-Encoding", `expected gzip, deflate, br, zstd or none, got "${encoding}"`)
  }
  if (/^100-continue$/iu.test(message.headers.expect ?? "")) {
    ;(NodeHttpServerRequest.toServerResponse(request) as ServerResponse).writeContinue()
  }
  if (unpacker === undefined) return { stream: message, headers: message.headers }
  const stream = unpacker()
  message.on("error", (error) => stream.destroy(error))
  message.on("aborted", () => stream.destroy(new Error("the client went away")))
  message.pipe(stream)
  return { stream: stream, headers: message.headers }
})

const tooLarge = (limits: IngestLimits, accepted = 0): TooLarge =>
  new TooLarge({
    message: `expected a body of at most ${limits.bodyMax} bytes (unpacked), got more; ${accepted} lines were accepted before: send smaller requests`
  })

/** How long what is left of a refused body is still taken, so that the sender gets to read why. */
const takeRestMs = 10_000

/** Reads no more of a body. The rest is taken and dropped for a while: a socket closed at once would lose the answer. */
export const abandon = Effect.fnUntraced(function* (stream: Readable) {
  const request = yield* HttpServerRequest.HttpServerRequest
  const message = NodeHttpServerRequest.toIncomingMessage(request) as IncomingMessage
  if (stream !== message) {
    message.unpipe()
    stream.destroy()
  }
  const timer = setTimeout(() => message.destroy(), takeRestMs).unref()
  message.once("close", () => clearTimeout(timer))
  message.resume()
})

/** Reads a body chunk by chunk; a body that ends early or can't be unpacked is an `Invalid`. */
export const chunksOf = (stream: Readable) => {
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  return Effect.tryPromise({
    try: () => iterator.next(),
    catch: (error) =>
      invalid(
        "body",
        `expected a whole body, got one that can't be read: ${error instanceof Error ? error.message : String(error)}`
      )
  }).pipe(Effect.map((step) => (step.done === true ? undefined : step.value)))
}

/** What a door answers when not all lines were taken. */
export const refusal = ({ accepted, cause }: NotTaken): TooBusy | Unavailable =>
  cause._tag === "LogStreamFull"
    ? new TooBusy({
        message: `${cause.message}; ${accepted} lines of this request were accepted: repeat it with an Idempotency-Key to add each line once`,
        retryAfterMs: cause.retryAfterMs
      })
    : new Unavailable({
        message: `the log stream can't be written now (${accepted} lines were accepted): ${cause.message}`
      })

/**
 * Takes the body of the current request into a project's log stream. `multiline`: lines of one stack trace in a text become
 * one event; `accepted` counts events.
 */
export const ingest = Effect.fnUntraced(function* (project: ProjectId, limits: IngestLimits, multiline = true) {
  const logs = yield* LogStream
  const { headers, stream } = yield* openBody(limits)
  const key = headers["idempotency-key"]
  const idempotencyKey = typeof key === "string" && key !== "" ? key : undefined
  if (idempotencyKey !== undefined && idempotencyKey.length > 256) {
    return yield* invalid("Idempotency-Key", `expected at most 256 characters, got ${idempotencyKey.length}`)
  }
  const mode = modeOf(headers["content-type"])
  const decoder = makeLineDecoder(mode, lineMax)
  // Text may hold stack traces; what is JSON says itself where an event ends.
  const assembler = mode === "text" && multiline ? Multiline.make() : undefined
  const assembled = (lines: ReadonlyArray<string>) => assembler?.push(lines) ?? lines
  const taking = taker(logs, {
    project,
    receivedAt: yield* Clock.currentTimeMillis,
    key: idempotencyKey,
    patience
  })
  const next = chunksOf(stream)
  let bytes = 0
  for (;;) {
    const chunk = yield* next
    if (chunk === undefined) break
    bytes += chunk.length
    if (bytes > limits.bodyMax) {
      yield* abandon(stream)
      return yield* tooLarge(limits, taking.accepted())
    }
    yield* Effect.mapError(taking.push(assembled(decoder.push(chunk))), refusal)
  }
  yield* Effect.mapError(taking.push([...assembled(decoder.end()), ...(assembler?.end() ?? [])]), refusal)
  const accepted = yield* Effect.mapError(taking.end, refusal)
  const { rejected, rejectedTotal } = decoder
  return { accepted, rejected, rejectedTotal }
})
