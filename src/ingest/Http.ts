/**
 * One HTTP request to an address that a setting names. Promises that private addresses are refused unless allowed, that
 * nothing is followed by itself, and that an aborted request ends. What an answer means is left to the sources.
 */
import { request as requestHttp, type IncomingMessage } from "node:http"
import { request as requestHttps } from "node:https"
import { guardedLookup, literalFault } from "../outside/Addresses.ts"

export interface Asked {
  readonly method?: "GET" | "POST"
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
  readonly allowPrivate: boolean
}

export interface Answered {
  readonly status: number
  /** Undefined when the header is not there. */
  readonly header: (name: string) => string | undefined
  readonly body: AsyncIterable<Uint8Array>
  /** Ends the connection if the body was not read to its end. */
  readonly close: () => void
}

const answered = (message: IncomingMessage): Answered => ({
  status: message.statusCode ?? 0,
  header: (name) => {
    const value = message.headers[name]
    return Array.isArray(value) ? value.join(", ") : value
  },
  body: message,
  close: () => {
    if (!message.readableEnded) message.destroy()
  }
})

/** Rejects with a PrivateAddress, or with the reason why there was no answer. */
export const ask = (url: URL, asked: Asked): Promise<Answered> =>
  new Promise((done, failed) => {
    const refused = literalFault(url, asked.allowPrivate)
    if (refused !== undefined) return failed(refused)
    const send = url.protocol === "https:" ? requestHttps : requestHttp
    const request = send(
      url,
      {
        method: asked.method ?? "GET",
        headers: asked.headers ?? {},
        signal: asked.signal,
        lookup: guardedLookup(asked.allowPrivate)
      },
      (message) => done(answered(message))
    )
    request.on("error", failed)
    request.end(asked.body)
  })

/** The body as text. Rejects when it is longer than `max` bytes. */
export const textOf = async (answer: Answered, max: number): Promise<string> => {
  const parts: Array<Uint8Array> = []
  let size = 0
  for await (const part of answer.body) {
    size += part.length
    if (size > max) {
      answer.close()
      throw new Error(`at most ${max} bytes, got more`)
    }
    parts.push(part)
  }
  return Buffer.concat(parts).toString("utf8")
}

/** What Retry-After says, ms, if it is a sensible number of seconds. */
export const retryAfterMs = (header: string | null | undefined): number | undefined => {
  const seconds = header === null || header === undefined || header === "" ? Number.NaN : Number(header)
  return seconds >= 0 && seconds <= 86_400 ? Math.ceil(seconds * 1_000) : undefined
}
