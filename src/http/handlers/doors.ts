/**
 * The one way in for the protocols of other products (ingest/all.ts, `spoken`): finds whose request it is, checks the key,
 * reads the body within the limits, and puts its events on the log stream before it says yes. A success means that all of
 * them are in Redis. What a protocol wants to hear, in success and refusal, it words itself.
 */
import { createHash } from "node:crypto"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Clock, Duration, Effect } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import type { IncomingMessage } from "node:http"
import { format } from "../../domain/SentEvent.ts"
import type { ProjectId } from "../../domain/Ids.ts"
import { doorOf } from "../../ingest/all.ts"
import type { Asked, Door, Reason, Refusal, Reply } from "../../ingest/Protocol.ts"
import { ApiKeys } from "../../store/ApiKeys.ts"
import { Projects } from "../../store/Projects.ts"
import { LogStream } from "../../streams/LogStream.ts"
import { type NotTaken, taker } from "../../streams/Taking.ts"
import { authenticate, projectFor, secretOf, wantedProject } from "../Auth.ts"
import type { Forbidden, Invalid, NotFound, TooLarge, Unauthorized, Unavailable } from "../Errors.ts"
import { makeBodies, type Reading, type ThreadEnded } from "../bodies/Bodies.ts"
import { abandon, chunksOf, type IngestLimits, openBody } from "./ingest.ts"
import { makeUnfinished } from "./Unfinished.ts"

/** Largest body of a request that is read as a whole, bytes, unpacked. */
const wholeMax = 64 * 1024 * 1024
/** Bytes of bodies that all requests together may hold; beyond, senders are asked to come again. */
const heldMax = 4 * wholeMax
/** How long a full stream is waited out once a part of a request was taken: less than shippers wait for an answer. */
const patience = Duration.seconds(5)
const keyMax = 256

const askedOf = (message: IncomingMessage): Asked => {
  const url = message.url ?? "/"
  const question = url.indexOf("?")
  return {
    method: message.method ?? "GET",
    path: question < 0 ? url : url.slice(0, question),
    query: new URLSearchParams(question < 0 ? "" : url.slice(question + 1)),
    headers: message.headers as Asked["headers"]
  }
}

const reasons: Readonly<Record<string, Reason>> = {
  Forbidden: "forbidden",
  NotFound: "no project",
  Unavailable: "unavailable",
  TooLarge: "too large"
}

/** What is known of a request whose body is read. */
interface Request {
  readonly project: ProjectId
  readonly receivedAt: number
  readonly key: string | undefined
  /** Of these very bytes. */
  readonly name: string
  readonly skip: number
}

type Fault = Unauthorized | Forbidden | NotFound | Unavailable | TooLarge | Invalid | ThreadEnded

/** A failure of the door's as the protocols word it. */
const refusalOf = (error: Fault, secret: string): Refusal => {
  const { message } = error
  if (error._tag === "Unauthorized") return { reason: secret === "" ? "no key" : "wrong key", message }
  if (error._tag === "Invalid") {
    return { reason: error.issues[0]?.path === "Content-Encoding" ? "unsupported" : "malformed", message }
  }
  return { reason: reasons[error._tag] ?? "unavailable", message }
}

const notTaken = ({ accepted, cause }: NotTaken): Refusal => ({
  reason: cause._tag === "LogStreamFull" ? "busy" : "unavailable",
  message: `${cause.message}; ${accepted} events of this request were taken: send it again`
})

const respond = ({ body, headers, status }: Reply) => {
  const more = status === 429 || status === 503 ? { ...headers, "retry-after": "1" } : headers
  if (body.length === 0 && headers["content-type"] === undefined)
    return HttpServerResponse.empty({ status, headers: more })
  const options = { status, headers: more, contentType: headers["content-type"] ?? "text/plain" }
  return typeof body === "string"
    ? HttpServerResponse.text(body, options)
    : HttpServerResponse.uint8Array(body, options)
}

/** Makes what stands before the router: the answer to a request that is a protocol's own, or undefined. */
export const makeDoors = Effect.fnUntraced(function* (config: IngestLimits) {
  const logs = yield* LogStream
  const keys = yield* ApiKeys
  const projects = yield* Projects
  const unfinished = makeUnfinished()
  const bodies = yield* makeBodies()
  const limits = { bodyMax: Math.min(config.bodyMax, wholeMax) }
  let held = 0

  /** The whole body with a name of its own, or what is wrong with it. `hold` counts what it takes until the request is over. */
  const readBody = Effect.fnUntraced(function* (door: Door, salt: string, hold: (bytes: number) => boolean) {
    const { stream } = yield* openBody(limits, door.packings)
    const next = chunksOf(stream)
    const chunks: Array<Buffer> = []
    const hash = createHash("sha256").update(salt)
    let size = 0
    for (;;) {
      const chunk = yield* next
      if (chunk === undefined) return { bytes: Buffer.concat(chunks, size), name: hash.digest("base64") }
      size += chunk.length
      const tooLarge = size > limits.bodyMax
      if (tooLarge || !hold(chunk.length)) {
        yield* abandon(stream)
        return tooLarge
          ? ({ reason: "too large", message: `expected at most ${limits.bodyMax} bytes, got more: send less` } as const)
          : ({ reason: "busy", message: "too many large requests at the same time: send it again" } as const)
      }
      hash.update(chunk)
      chunks.push(chunk)
    }
  })

  /** Puts the lines on the stream and says so. */
  const store = Effect.fnUntraced(function* (door: Door, reading: Reading, request: Request) {
    const { key, name, project, receivedAt, skip } = request
    const taking = taker(logs, { project, receivedAt, format, key, patience })
    const taken = () => skip + taking.accepted()
    const put = Effect.gen(function* () {
      for (;;) {
        const lines = yield* reading.next
        if (lines === undefined) return yield* taking.end
        yield* taking.push(lines)
      }
    })
    const refuse = (why: Refusal) => {
      unfinished.leave(name, receivedAt, taken())
      return door.refuse(why)
    }
    return yield* put.pipe(
      Effect.onInterrupt(() => Effect.sync(() => unfinished.leave(name, receivedAt, taken()))),
      Effect.andThen(reading.accept),
      Effect.tap(() => Effect.sync(() => unfinished.forget(name))),
      Effect.catchTags({
        NotTaken: (error) => {
          const why = notTaken(error)
          return reading.acceptPart === undefined ? Effect.succeed(refuse(why)) : reading.acceptPart(taken(), why)
        }
      }),
      Effect.catchTag("ThreadEnded", ({ message }) => Effect.succeed(refuse({ reason: "unavailable", message })))
    )
  })

  const serve = Effect.fnUntraced(function* (asked: Asked, door: Door, hold: (bytes: number) => boolean) {
    const apiKey = yield* authenticate(secretOf(asked.headers))
    const wanted = wantedProject(asked.headers, `?${asked.query.toString()}`) ?? (door.project || undefined)
    const project = yield* projectFor(apiKey, wanted)
    if (door.reply !== undefined) return door.reply
    const key = asked.headers["idempotency-key"] || undefined
    if (key !== undefined && key.length > keyMax) {
      const message = `Idempotency-Key: expected at most ${keyMax} characters, got ${key.length}`
      return door.refuse({ reason: "malformed", message })
    }
    const body = yield* readBody(door, `${project}\n${asked.path}\n`, hold)
    if (body.reason !== undefined) return door.refuse(body)
    const { bytes, name } = body
    const now = yield* Clock.currentTimeMillis
    const skip = key === undefined ? unfinished.taken(name, now) : 0
    const reading = yield* bodies.open({ asked, door, bytes, now, max: limits.bodyMax, skip })
    if ("reason" in reading) return door.refuse(reading)
    return yield* store(door, reading, { project, receivedAt: now, key, name, skip })
  }, Effect.scoped)

  const enter = (asked: Asked, door: Door) =>
    Effect.suspend(() => {
      let mine = 0
      const hold = (bytes: number): boolean => {
        if (held + bytes > heldMax) return false
        mine += bytes
        held += bytes
        return true
      }
      return serve(asked, door, hold).pipe(
        Effect.catch((error) => Effect.succeed(door.refuse(refusalOf(error, secretOf(asked.headers))))),
        Effect.provideService(ApiKeys, keys),
        Effect.provideService(Projects, projects),
        Effect.ensuring(Effect.sync(() => void (held -= mine))),
        Effect.map(respond)
      )
    })

  return (request: HttpServerRequest.HttpServerRequest) => {
    const asked = askedOf(NodeHttpServerRequest.toIncomingMessage(request) as IncomingMessage)
    const door = doorOf(asked)
    if (door === undefined) return undefined
    return door.open === true && door.reply !== undefined ? Effect.succeed(respond(door.reply)) : enter(asked, door)
  }
})
