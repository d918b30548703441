/**
 * Follows a log file on a web server by asking for the bytes behind the last line it has (HTTP Range). Promises whole
 * lines, each once, and to start anew when the file was replaced: it re-reads the last bytes it knows and compares. Takes
 * at most 8 MiB a poll; follows redirects on the same host only, and asks no private address unless that is allowed.
 */
import { createHash } from "node:crypto"
import { Effect, Redacted } from "effect"
import { PrivateAddress } from "../../outside/Addresses.ts"
import * as Http from "../Http.ts"
import { type Config, type ConfigIssue, type Fault, type Limits, type Source, SourceError } from "../Source.ts"

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

const urlOf = (config: Config): URL | string => {
  const text = config["url"]
  if (text === undefined || text === "") return "nothing"
  const url = typeof text === "string" ? URL.parse(text) : null
  if (url === null) return JSON.stringify(String(text).slice(0, 100))
  if (url.username !== "" || url.password !== "") return "one with a user and password: give them as secrets"
  return url.protocol === "http:" || url.protocol === "https:" ? url : `the scheme "${url.protocol}"`
}

const validate: Source["validate"] = (config, secrets) => {
  const issues: Array<ConfigIssue> = []
  const url = urlOf(config)
  if (typeof url === "string")
    issues.push({ path: ["config", "url"], message: `expected an http or https URL, got ${url}` })
  const timeout = config["timeout_ms"]
  if (timeout !== undefined && !/^[1-9]\d{2,5}$/u.test(String(timeout))) {
    const got = JSON.stringify(String(timeout).slice(0, 100))
    issues.push({ path: ["config", "timeout_ms"], message: `expected 100 to 999999 milliseconds, got ${got}` })
  }
  for (const name of Object.keys(config)) {
    if (name !== "url" && name !== "timeout_ms")
      issues.push({ path: ["config", name], message: "expected url and timeout_ms only" })
  }
  for (const [name, value] of Object.entries(Redacted.value(secrets))) {
    if (name !== "authorization" || !/^[\x20-\x7e]{1,4096}$/u.test(value)) {
      issues.push({ path: ["secrets", name], message: "expected authorization only, the value of that header" })
    }
  }
  return issues
}

const fault = (url: URL, kind: Fault, expected: string, got: string, retryAfterMs?: number): SourceError =>
  new SourceError({
    source: `${url.origin}${url.pathname}`,
    fault: kind,
    expected,
    got,
    retryable: kind === "unreachable" || kind === "throttled",
    ...(retryAfterMs === undefined ? {} : { retryAfterMs })
  })

interface Access {
  readonly headers: Readonly<Record<string, string>>
  readonly allowPrivate: boolean
  readonly signal: AbortSignal
}

/** One GET, following redirects on the same host. */
const get = async (url: URL, access: Access): Promise<Http.Answered> => {
  let at = url
  for (let hops = 0; ; hops++) {
    const response = await Http.ask(at, access)
    const location = response.header("location")
    if (response.status < 300 || response.status >= 400 || response.status === 304 || location === undefined)
      return response
    response.close()
    const next = URL.parse(location, at)
    if (next === null || next.host !== url.host || (next.protocol !== url.protocol && next.protocol !== "https:")) {
      throw fault(url, "answer", "the file, or a redirect on the same host", `a redirect to ${location.slice(0, 200)}`)
    }
    if (hops === redirectsMax) throw fault(url, "answer", `at most ${redirectsMax} redirects`, "more")
    at = next
  }
}

/** At most `max` bytes of the body behind the first `skip`; `whole` tells whether that was all. */
const take = async (response: Http.Answered, skip: number, max: number) => {
  const parts: Array<Uint8Array> = []
  let skipped = 0
  let size = 0
  let whole = true
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

const totalOf = (response: Http.Answered): number | undefined => {
  const total = /\/(\d+)$/u.exec(response.header("content-range") ?? "")?.[1]
  return total === undefined ? undefined : Number(total)
}

const faultOf = (status: number): Fault => {
  if (status >= 500 || status === 408 || status === 425) return "unreachable"
  if (status === 429) return "throttled"
  if (status === 401 || status === 403) return "denied"
  return status === 404 || status === 410 ? "missing" : "answer"
}

/** Throws the fault of an answer that carries no file. */
const refuse = (url: URL, response: Http.Answered): void => {
  const { status } = response
  if (status !== 200 && status !== 206) {
    const after = Http.retryAfterMs(response.header("retry-after"))
    throw fault(url, faultOf(status), "status 200, 206, 304 or 416", `status ${status}`, after)
  }
  const encoding = response.header("content-encoding")
  if (encoding !== undefined && encoding !== "" && encoding !== "identity") {
    throw fault(url, "answer", "the file as it is", `content-encoding ${encoding}`)
  }
}

interface Pulled {
  readonly lines: ReadonlyArray<string>
  readonly cursor: Cursor
  readonly more: boolean
}

const pull = async (url: URL, from: Cursor, access: Access, anew: boolean): Promise<Pulled> => {
  const begin = from.offset - from.overlap
  const headers: Record<string, string> = { ...access.headers, "accept-encoding": "identity", range: `bytes=${begin}-` }
  if (from.etag !== undefined) headers["if-none-match"] = from.etag
  const response = await get(url, { ...access, headers })
  try {
    const again = (): Promise<Pulled> => {
      if (anew) throw fault(url, "unreachable", "a file that stays the same during one poll", "another one")
      return pull(url, start, access, true)
    }
    const same: Pulled = { lines: [], cursor: from, more: false }
    if (response.status === 304) return same
    if (response.status === 416) {
      const total = totalOf(response)
      return from.offset === 0 || (total !== undefined && total >= from.offset) ? same : await again()
    }
    refuse(url, response)
    const ranged = response.status === 206
    const first = /^bytes (\d+)-/u.exec(response.header("content-range") ?? "")?.[1]
    if (ranged && first !== undefined && Number(first) !== begin) {
      throw fault(url, "answer", `bytes from ${begin}`, `bytes from ${first}`)
    }
    if (!ranged && begin > skipMax) {
      throw fault(url, "answer", `a server that knows Range for files over ${skipMax} bytes`, "the whole file")
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
    const etag = body.whole ? response.header("etag") : undefined
    const cursor: Cursor = { offset: from.offset + used, overlap, digest, ...(etag === undefined ? {} : { etag }) }
    return { lines, cursor, more: !body.whole }
  } finally {
    response.close()
  }
}

const reasonOf = (error: Error): string =>
  error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message

const meant = (url: URL, cause: unknown): SourceError => {
  if (cause instanceof SourceError) return cause
  if (cause instanceof PrivateAddress) return fault(url, "address", "a public address", cause.got)
  return fault(url, "unreachable", "an answer", cause instanceof Error ? reasonOf(cause) : String(cause))
}

interface Wanted {
  readonly config: Config
  readonly secrets: Parameters<Source["validate"]>[1]
  readonly limits: Limits
}

/** Runs `work` with what settings and secrets say, within the time limit. */
const within = <A>(wanted: Wanted, work: (url: URL, access: Access) => Promise<A>): Effect.Effect<A, SourceError> =>
  Effect.suspend(() => {
    const url = urlOf(wanted.config)
    const issue = validate(wanted.config, wanted.secrets)[0]
    if (typeof url === "string" || issue !== undefined) {
      const got = issue?.message ?? "none"
      const expected = "valid settings"
      return Effect.fail(new SourceError({ source: "http_pull", fault: "settings", expected, got, retryable: false }))
    }
    const timeoutMs = Number(wanted.config["timeout_ms"] ?? timeoutDefault)
    const { authorization } = Redacted.value(wanted.secrets)
    const headers = authorization === undefined ? {} : { authorization }
    const { allowPrivate } = wanted.limits
    return Effect.tryPromise({
      try: (signal) => work(url, { headers, allowPrivate, signal }),
      catch: (cause) => meant(url, cause)
    }).pipe(
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () => Effect.fail(fault(url, "unreachable", `an answer within ${timeoutMs} ms`, "none"))
      })
    )
  })

const poll: Source["poll"] = (ask) => {
  const from = readCursor(ask.cursor)
  return within(ask, (url, access) => pull(url, from, access, false)).pipe(
    Effect.map(({ cursor, lines, more }) => ({
      // A line has no id of its own: where it was met names it.
      events: lines.map((line, n) => ({ id: `${from.digest}.${from.offset}.${n}`, event: { line } })),
      cursor: JSON.stringify(cursor),
      more,
      lagMs: 0
    }))
  )
}

const check: Source["check"] = (ask) =>
  within(ask, async (url, access) => {
    const response = await get(url, { ...access, headers: { ...access.headers, range: "bytes=0-0" } })
    response.close()
    // An empty file has no first byte.
    if (response.status !== 416) refuse(url, response)
  })

export const http_pull: Source = {
  kind: "http_pull",
  validate,
  identity: (config) => `http_pull ${String(config["url"])}`,
  check,
  poll
}
