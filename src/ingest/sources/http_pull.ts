/**
 * Follows a log file on a web server by asking for the bytes behind the last line it has (HTTP Range). Promises whole
 * lines, each once, and to start anew when the file was replaced: it re-reads the last bytes it knows and compares. Takes
 * at most 8 MiB a poll; follows redirects on the same host only.
 */
import { createHash } from "node:crypto"
import { Effect } from "effect"
import { type ConfigIssue, type PullSource, type Pulled, SourceError, type SourceConfig } from "../Source.ts"

/** Bytes taken in one poll. */
export const pollMax = 8 * 1024 * 1024
/** Bytes before the cursor that are read again to know the file by. */
const overlapMax = 64
/** Longest line, bytes; a longer one is cut there. */
const lineMax = 256 * 1024
/** Bytes read away where a server ignores Range. */
const skipMax = 256 * 1024 * 1024
const redirectsMax = 5
const timeoutDefault = 30_000

interface Cursor {
  /** Bytes of whole lines read so far. */
  readonly offset: number
  /** How many bytes before `offset` the digest is of. */
  readonly overlap: number
  readonly digest: string
  /** The file's ETag if all of it was read, so that the server can answer "nothing new". */
  readonly etag?: string
}

const start: Cursor = { offset: 0, overlap: 0, digest: "" }

const readCursor = (text: string | null): Cursor => {
  if (text === null) return start
  try {
    const value = JSON.parse(text) as Partial<Cursor> | null
    const { digest, etag, offset, overlap } = value ?? {}
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(overlap) || typeof digest !== "string") return start
    return { offset: offset!, overlap: overlap!, digest, ...(typeof etag === "string" ? { etag } : {}) }
  } catch {
    return start
  }
}

const digestOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("base64url").slice(0, 22)

const urlOf = (config: SourceConfig): URL | string => {
  const text = config["url"]
  if (text === undefined || text === "") return "nothing"
  const url = URL.parse(text)
  if (url === null) return JSON.stringify(text.slice(0, 100))
  return url.protocol === "http:" || url.protocol === "https:" ? url : `the scheme "${url.protocol}"`
}

const validate = (config: SourceConfig): ReadonlyArray<ConfigIssue> => {
  const issues: Array<ConfigIssue> = []
  const url = urlOf(config)
  if (typeof url === "string") issues.push({ path: ["url"], message: `expected an http or https URL, got ${url}` })
  const timeout = config["timeout_ms"]
  if (timeout !== undefined && !/^[1-9]\d{2,5}$/u.test(timeout)) {
    issues.push({ path: ["timeout_ms"], message: `expected 100 to 999999 milliseconds, got "${timeout}"` })
  }
  return issues
}

const fault = (url: URL, expected: string, got: string, retryable: boolean, retryAfterMs?: number): SourceError =>
  new SourceError({
    source: `${url.origin}${url.pathname}`,
    expected,
    got,
    retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs })
  })

const retryAfter = (response: Response): number | undefined => {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN)
  return seconds >= 0 && seconds <= 86_400 ? seconds * 1000 : undefined
}

/** One GET, following redirects on the same host. */
const get = async (url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Response> => {
  let at = url
  for (let hops = 0; ; hops++) {
    const response = await fetch(at, { headers, redirect: "manual", signal })
    const location = response.headers.get("location")
    if (response.status < 300 || response.status >= 400 || response.status === 304 || location === null) return response
    await response.body?.cancel()
    const next = URL.parse(location, at)
    if (next === null || next.host !== url.host || (next.protocol !== url.protocol && next.protocol !== "https:")) {
      throw fault(url, "the file, or a redirect on the same host", `a redirect to ${location.slice(0, 200)}`, false)
    }
    if (hops === redirectsMax) throw fault(url, `at most ${redirectsMax} redirects`, "more", false)
    at = next
  }
}

/** At most `max` bytes of the body behind the first `skip`; `whole` tells whether that was all. */
const take = async (response: Response, skip: number, max: number) => {
  const parts: Array<Uint8Array> = []
  let skipped = 0
  let size = 0
  let whole = true
  if (response.body !== null) {
    for await (const chunk of response.body) {
      const from = Math.min(skip - skipped, chunk.length)
      skipped += from
      const part = chunk.subarray(from, from + max - size)
      size += part.length
      if (part.length > 0) parts.push(part)
      if (size >= max) {
        whole = false
        break
      }
    }
  }
  return { bytes: Buffer.concat(parts), whole, reached: skipped === skip }
}

/** The whole lines in `bytes`, which begin at `offset` of the file. */
const linesOf = (bytes: Buffer, whole: boolean): { readonly lines: Array<string>; readonly used: number } => {
  let used = bytes.lastIndexOf(10) + 1
  // A line that never ends would be fetched for ever: cut it, but not within a character.
  if (used === 0 && (!whole || bytes.length >= lineMax)) {
    used = Math.min(bytes.length, lineMax)
    while (used > 1 && used < bytes.length && (bytes[used]! & 0xc0) === 0x80) used--
  }
  const lines = bytes
    .toString("utf8", 0, used)
    .split("\n")
    .map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line))
    .filter((line) => line.trim() !== "")
  return { lines, used }
}

const totalOf = (response: Response): number | undefined => {
  const total = /\/(\d+)$/u.exec(response.headers.get("content-range") ?? "")?.[1]
  return total === undefined ? undefined : Number(total)
}

/** Throws the fault of an answer that carries no file. */
const refuse = (url: URL, response: Response): void => {
  const { status } = response
  if (status !== 200 && status !== 206) {
    const retryable = status >= 500 || status === 429 || status === 408 || status === 425
    throw fault(url, "status 200, 206, 304 or 416", `status ${status}`, retryable, retryAfter(response))
  }
  const encoding = response.headers.get("content-encoding")
  if (encoding !== null && encoding !== "" && encoding !== "identity") {
    throw fault(url, "the file as it is", `content-encoding ${encoding}`, false)
  }
}

const pull = async (url: URL, from: Cursor, signal: AbortSignal, anew: boolean): Promise<Pulled> => {
  const begin = from.offset - from.overlap
  const headers: Record<string, string> = { "accept-encoding": "identity", range: `bytes=${begin}-` }
  if (from.etag !== undefined) headers["if-none-match"] = from.etag
  const response = await get(url, headers, signal)
  const again = (): Promise<Pulled> => {
    if (anew) throw fault(url, "a file that stays the same during one poll", "another one", true)
    return pull(url, start, signal, true)
  }
  const same: Pulled = { lines: [], cursor: JSON.stringify(from), more: false }
  if (response.status === 304) return same
  if (response.status === 416) {
    await response.body?.cancel()
    const total = totalOf(response)
    return from.offset === 0 || (total !== undefined && total >= from.offset) ? same : again()
  }
  try {
    refuse(url, response)
    const ranged = response.status === 206
    const first = /^bytes (\d+)-/u.exec(response.headers.get("content-range") ?? "")?.[1]
    if (ranged && first !== undefined && Number(first) !== begin) {
      throw fault(url, `bytes from ${begin}`, `bytes from ${first}`, false)
    }
    if (!ranged && begin > skipMax) {
      throw fault(url, `a server that knows Range for files over ${skipMax} bytes`, "the whole file", false)
    }
    const body = await take(response, ranged ? 0 : begin, pollMax + from.overlap)
    const known = body.bytes.subarray(0, from.overlap)
    if (!body.reached || known.length < from.overlap || (from.overlap > 0 && digestOf(known) !== from.digest)) {
      return await again()
    }
    const { lines, used } = linesOf(body.bytes.subarray(from.overlap), body.whole)
    const end = from.overlap + used
    const overlap = Math.min(overlapMax, end)
    const digest = digestOf(body.bytes.subarray(end - overlap, end))
    const etag = body.whole ? response.headers.get("etag") : null
    const cursor: Cursor = { offset: from.offset + used, overlap, digest, ...(etag === null ? {} : { etag }) }
    return { lines, cursor: JSON.stringify(cursor), more: !body.whole }
  } finally {
    if (!response.bodyUsed) await response.body?.cancel()
  }
}

const poll: PullSource["poll"] = (config, cursor) =>
  Effect.suspend(() => {
    const url = urlOf(config)
    const issue = validate(config)[0]
    if (typeof url === "string" || issue !== undefined) {
      const got = issue?.message ?? "none"
      return Effect.fail(new SourceError({ source: "http_pull", expected: "valid settings", got, retryable: false }))
    }
    const timeoutMs = Number(config["timeout_ms"] ?? timeoutDefault)
    return Effect.tryPromise({
      try: (signal) => pull(url, readCursor(cursor), signal, false),
      catch: (cause) =>
        cause instanceof SourceError
          ? cause
          : fault(url, "an answer", cause instanceof Error ? reasonOf(cause) : String(cause), true)
    }).pipe(
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () => Effect.fail(fault(url, `an answer within ${timeoutMs} ms`, "none", true))
      })
    )
  })

const reasonOf = (error: Error): string =>
  error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message

export const http_pull: PullSource = { kind: "http_pull", validate, poll }
