/**
 * Calls to servers of others. Promises that an address inside this host or its networks is not connected to (the address that
 * is connected to is the one that was checked), that no redirect is followed, that a call ends within its time limit, that
 * little of an answer is read, and that every failure says whether trying again can help. What a status means is the channel's part.
 */
import { Context, Effect, Schema } from "effect"
import { type IncomingMessage, request as httpRequest } from "node:http"
import { request as httpsRequest } from "node:https"
import { guardedLookup, literalFault, PrivateAddress } from "../outside/Addresses.ts"
import { ChannelError } from "./Channel.ts"

/** Whether addresses of this host and of private networks may be called (LOGLYTICS_ALLOW_PRIVATE_URLS). */
export const AllowPrivate = Context.Reference<boolean>("loglytics/notify/AllowPrivate", { defaultValue: () => false })

export interface Call {
  /** The channel's id, for errors. */
  readonly channel: string
  readonly method: "GET" | "POST" | "PUT"
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Default 10 s. */
  readonly timeoutMs?: number
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  /** At most `answerMax` characters. */
  readonly text: string
}

const timeoutDefault = 10_000
/** Bytes of an answer that are read; the rest is left. */
const answerMax = 256 * 1_024

const refused = (channel: string, reason: string): ChannelError =>
  new ChannelError({ channel, reason, retryable: false })

/** What is wrong with a URL before anything is sent; undefined when nothing is. */
export const urlFault = (text: string, allowPrivate: boolean): string | undefined => {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return "expected an http(s) URL"
  return literalFault(url, allowPrivate)?.message
}

/** A URL in a channel's settings, which everybody who may see the channel reads: so none with a password in it. */
export const urlText = (max: number) =>
  Schema.String.check(
    Schema.makeFilter((text: string) => {
      const url = URL.parse(text)
      if (url === null || !/^https?:\/\/\S+$/u.test(text)) return "expected an https:// or http:// URL"
      if (text.length > max) return `expected at most ${max} characters, got ${text.length}`
      return (
        (url.username === "" && url.password === "") ||
        "expected a URL without user and password: settings are shown, secrets are not"
      )
    })
  )

/** Codes of sockets, names and TLS where a person has to look: trying again gives the same. */
const hopeless = /^(?:CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_INVALID|HPE_|EPROTO)/u

const faultOf = (channel: string, error: NodeJS.ErrnoException, sent: boolean): ChannelError => {
  if (error instanceof PrivateAddress) return refused(channel, error.message)
  return new ChannelError({
    channel,
    reason: `no answer: ${error.code ?? error.message}`,
    retryable: !hopeless.test(error.code ?? ""),
    unsure: sent
  })
}

/** Makes one call. Any answer at all is a success of this function. */
export const call = (given: Call): Effect.Effect<Answer, ChannelError> =>
  Effect.gen(function* () {
    const { channel } = given
    const allowPrivate = yield* AllowPrivate
    const fault = urlFault(given.url, allowPrivate)
    if (fault !== undefined) return yield* refused(channel, fault)
    const timeoutMs = given.timeoutMs ?? timeoutDefault
    return yield* Effect.callback<Answer, ChannelError>((resume, signal) => {
      const url = new URL(given.url)
      const make = url.protocol === "https:" ? httpsRequest : httpRequest
      let sent = false
      const body = given.body === undefined ? undefined : Buffer.from(given.body as string)
      const request = make(url, {
        method: given.method,
        headers: {
          "user-agent": "loglytics",
          ...given.headers,
          ...(body === undefined ? {} : { "content-length": String(body.length) })
        },
        agent: false,
        signal,
        lookup: guardedLookup(allowPrivate)
      })
      const fail = (error: NodeJS.ErrnoException) => resume(Effect.fail(faultOf(channel, error, sent)))
      request.on("error", fail)
      request.on("finish", () => (sent = true))
      request.on("response", (response) => {
        collect(response, (text) =>
          resume(Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, text }))
        )
        response.on("error", fail)
      })
      request.end(body)
    }).pipe(
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () =>
          Effect.fail(
            new ChannelError({ channel, reason: `no answer within ${timeoutMs} ms`, retryable: true, unsure: true })
          )
      })
    )
  })

/** Reads the beginning of an answer; what is longer is cut, since only errors are shown. */
const collect = (response: IncomingMessage, done: (text: string) => void): void => {
  const parts: Array<Buffer> = []
  let size = 0
  const finish = () => done(Buffer.concat(parts).toString("utf8").toWellFormed())
  response.on("data", (part: Buffer) => {
    size += part.length
    parts.push(part)
    if (size < answerMax) return
    finish()
    response.destroy()
  })
  response.on("end", finish)
}

/** `Retry-After` as ms from `now`: seconds or a date; undefined when there is none that makes sense. At most an hour. */
export const retryAfterMs = (answer: Answer, now: number): number | undefined => {
  const text = answer.headers["retry-after"]
  if (typeof text !== "string") return undefined
  const ms = /^\d{1,9}(?:\.\d+)?$/u.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - now
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, 3_600_000) : undefined
}

/** What statuses mean: `ok`, or why not and whether trying again can help. The first digit alone stands for all its statuses. */
export type Statuses = Readonly<Record<number, "ok" | readonly [reason: string, retryable: boolean]>>

/** What most servers mean; a channel lays its own over it. */
export const usual: Statuses = {
  2: "ok",
  3: ["answers with a redirect, which is not followed", false],
  4: ["refused the request", false],
  5: ["has a fault of its own", true],
  401: ["refused the credentials", false],
  403: ["does not allow this", false],
  404: ["knows no such address", false],
  408: ["waited too long for the request", true],
  413: ["finds the message too large", false],
  425: ["is not ready for it yet", true],
  429: ["wants fewer messages", true],
  501: ["can't do this", false]
}

/** The answer when it is good, else the error that it means. `detail` finds words of the server that help a person. */
export const accepted = (
  channel: string,
  answer: Answer,
  options: {
    readonly statuses?: Statuses
    readonly now: number
    readonly detail?: (answer: Answer) => string | undefined
  }
): Effect.Effect<Answer, ChannelError> => {
  const table = { ...usual, ...options.statuses }
  const meaning = table[answer.status] ?? table[Math.floor(answer.status / 100)] ?? ["is no status of HTTP", false]
  if (meaning === "ok") return Effect.succeed(answer)
  const [reason, retryable] = meaning
  const detail = options.detail?.(answer)
  const after = retryAfterMs(answer, options.now)
  return Effect.fail(
    new ChannelError({
      channel,
      reason: `expected a status of success, got ${answer.status}: the server ${reason}${detail === undefined ? "" : ` (${detail})`}`,
      retryable,
      ...(after === undefined ? {} : { retryAfterMs: after })
    })
  )
}

/** An answer's JSON, or undefined when it is none. */
export const jsonOf = (answer: Answer): unknown => {
  try {
    return JSON.parse(answer.text)
  } catch {
    return undefined
  }
}
