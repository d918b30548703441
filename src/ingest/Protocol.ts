/**
 * The contract of the protocols that shippers speak over HTTP. A protocol is pure: it knows its own requests by their head,
 * reads a whole body into events and words every answer, refusals included. Keys, limits, unpacking and the log stream are
 * the door's part (http/handlers/doors.ts); it is the same for all of them.
 */
import type { SentEvent } from "../domain/SentEvent.ts"

/** The head of a request. */
export interface Asked {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** Why a request gets no success. `busy` and `unavailable` are to be sent again, all others are not. */
export type Reason =
  | "no key"
  | "wrong key"
  | "forbidden"
  | "no project"
  | "malformed"
  | "unsupported"
  | "too large"
  | "busy"
  | "unavailable"

export interface Refusal {
  readonly reason: Reason
  /** What was expected and what was got. */
  readonly message: string
  /** Which element of the body is the wrong one, from 0, where the protocol tells. */
  readonly at?: number
}

/** A body that was read. */
export interface Sent {
  /**
   * The events in their order, each made when it is asked for; may be walked once. `undefined` stands for what was rejected,
   * so that whoever walks gets to rest between two steps, whatever the body holds.
   */
  readonly events: Iterable<SentEvent | undefined>
  /** What to say when all events are in the stream, after the walk. */
  readonly accept: () => Reply
  /** What to say when only the first `taken` are. Without it the whole request is refused. */
  readonly acceptPart?: (taken: number, why: Refusal) => Reply
}

export interface Body {
  readonly bytes: Buffer
  /** Arrival, epoch ms. */
  readonly now: number
  /** Largest body, bytes, unpacked. */
  readonly max: number
}

export interface Door {
  /** Answers at once, without a body. */
  readonly reply?: Reply
  /** Asks for no key; only what tells nothing about anybody may. */
  readonly open?: true
  /** The project that the request names in the protocol's own way. */
  readonly project?: string | undefined
  /** Content-Encodings that are the protocol's own matter and are not unpacked before. */
  readonly packings?: ReadonlyArray<string>
  /** Reads a body; never throws. */
  readonly read?: (body: Body) => Sent | Refusal
  readonly refuse: (refusal: Refusal) => Reply
}

export interface Protocol {
  readonly name: string
  /** What stands behind this path, or undefined when the request is not of this protocol. */
  readonly door: (asked: Asked) => Door | undefined
}

/** Events that one request may carry. */
export const eventsMax = 1_000_000

/** There are more. */
export const tooMany = (max = eventsMax): Refusal => ({
  reason: "too large",
  message: `expected at most ${max} events in one request, got more: send smaller ones`
})

export const isSent = (read: Sent | Refusal): read is Sent => "events" in read

/** The media type of a request in lower case, without parameters. */
export const mediaType = (asked: Asked): string =>
  (asked.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? ""

/** An answer in JSON. */
export const jsonReply = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(value)
})

/** The HTTP status that most protocols give a refusal. */
export const statusOf: Readonly<Record<Reason, number>> = {
  "no key": 401,
  "wrong key": 401,
  forbidden: 403,
  "no project": 404,
  malformed: 400,
  unsupported: 415,
  "too large": 413,
  busy: 429,
  unavailable: 503
}
