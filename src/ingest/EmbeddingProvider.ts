/**
 * Vectors of texts from a server that speaks OpenAI's `POST /embeddings`. Promises one vector per text, in their order, all of
 * one size and of finite numbers at length 1, or an error that says whether and when trying again can help. It does not retry,
 * keeps nothing, and sends what it is given: redacting is left to the caller.
 */
import { Data, Effect, Redacted } from "effect"

/** The server could not be reached, refused, or answered with something that is not vectors. */
export class EmbeddingError extends Data.TaggedError("EmbeddingError")<{
  readonly expected: string
  readonly got: string
  readonly retryable: boolean
  /** How long the server asked to be left alone, ms. */
  readonly retryAfterMs?: number
}> {
  override get message(): string {
    return `LOGLYTICS_EMBEDDINGS_URL: expected ${this.expected}, got ${this.got}`
  }
}

export interface EmbeddingEndpoint {
  /** Base URL of the API, `https://api.openai.com/v1`; `/embeddings` is added unless it is there. */
  readonly url: string
  readonly model: string
  readonly apiKey?: Redacted.Redacted | undefined
}

/** Texts of one request. */
export const batchMax = 64
/** Characters of one text that are sent. */
export const textMax = 2_000
/** Numbers that a vector may have. */
const dimensionsMax = 8_192
/** Bytes of an answer that are read. */
const answerMax = 32 * 1_024 * 1_024
/** The longest wait that a server may ask for, ms. */
const retryAfterMax = 600_000

export type Decoded =
  | { readonly ok: true; readonly vectors: ReadonlyArray<Float32Array> }
  | { readonly ok: false; readonly expected: string; readonly got: string }

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

/** A vector of finite numbers at length 1, or undefined. */
const vectorOf = (value: unknown): Float32Array | undefined => {
  if (!Array.isArray(value) || value.length === 0 || value.length > dimensionsMax) return undefined
  const vector = new Float32Array(value.length)
  let sum = 0
  for (const [i, n] of (value as ReadonlyArray<unknown>).entries()) {
    if (typeof n !== "number" || !Number.isFinite(n)) return undefined
    vector[i] = n
    sum += n * n
  }
  if (!Number.isFinite(sum)) return undefined
  const by = sum === 0 ? 0 : 1 / Math.sqrt(sum)
  return vector.map((n) => n * by)
}

/** Reads an answer for `count` texts. `index` tells which text a vector is of; where it is absent, their order does. Pure. */
export const decode = (answer: unknown, count: number): Decoded => {
  const data = isRecord(answer) ? answer["data"] : undefined
  if (!Array.isArray(data)) return { ok: false, expected: "a JSON object with a list `data`", got: shape(answer) }
  if (data.length !== count) return { ok: false, expected: `${count} vectors`, got: `${data.length}` }
  const vectors: Array<Float32Array | undefined> = Array.from({ length: count })
  for (const [i, item] of (data as ReadonlyArray<unknown>).entries()) {
    const place = isRecord(item) && typeof item["index"] === "number" ? item["index"] : i
    const vector = isRecord(item) ? vectorOf(item["embedding"]) : undefined
    if (vector === undefined) {
      return { ok: false, expected: `1 to ${dimensionsMax} finite numbers in data[${i}].embedding`, got: shape(item) }
    }
    if (!Number.isInteger(place) || place < 0 || place >= count || vectors[place] !== undefined) {
      return { ok: false, expected: `each index from 0 to ${count - 1} once`, got: `${place}` }
    }
    vectors[place] = vector
  }
  const full = vectors as ReadonlyArray<Float32Array>
  const odd = full.find((vector) => vector.length !== full[0]?.length)
  return odd === undefined
    ? { ok: true, vectors: full }
    : { ok: false, expected: `vectors of one size (${full[0]?.length})`, got: `one of ${odd.length}` }
}

/** What a value is, in few words and without its text. */
const shape = (value: unknown): string => {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (isRecord(value)) return `an object with ${Object.keys(value).slice(0, 5).join(", ").slice(0, 80) || "nothing"}`
  return value === null ? "null" : `a ${typeof value}`
}

/** Seconds or a date of a Retry-After header as ms from `now`, at most ten minutes. Pure. */
export const retryAfter = (header: string | null, now: number): number | undefined => {
  if (header === null) return undefined
  const ms = /^\d{1,9}$/u.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now
  return Number.isFinite(ms) ? Math.min(retryAfterMax, Math.max(0, ms)) : undefined
}

const transient = new Set([408, 409, 425, 429])

const refused = (response: Response, now: number): EmbeddingError => {
  const after = retryAfter(response.headers.get("retry-after"), now)
  return new EmbeddingError({
    expected: "status 200",
    got: `status ${response.status}`,
    retryable: transient.has(response.status) || response.status >= 500,
    ...(after === undefined ? {} : { retryAfterMs: after })
  })
}

/** The body, as far as it is no longer than it may be. */
const bodyOf = async (response: Response): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ""
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length
    if (size > answerMax)
      throw new EmbeddingError({ expected: `at most ${answerMax} bytes`, got: "more", retryable: false })
    text += decoder.decode(chunk as Uint8Array, { stream: true })
  }
  return text + decoder.decode()
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const asError = (cause: unknown, timeoutMs: number): EmbeddingError => {
  if (cause instanceof EmbeddingError) return cause
  const name = cause instanceof Error ? cause.name : ""
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : ""
  const got = name === "TimeoutError" ? "none" : inner || (cause instanceof Error ? cause.message : String(cause))
  return new EmbeddingError({ expected: `an answer within ${timeoutMs} ms`, got: got.slice(0, 200), retryable: true })
}

const request = (endpoint: EmbeddingEndpoint, texts: ReadonlyArray<string>, signal: AbortSignal): Promise<Response> =>
  fetch(endpoint.url.replace(/\/*(?:\/embeddings)?\/*$/u, "/embeddings"), {
    method: "POST",
    redirect: "error",
    signal,
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      ...(endpoint.apiKey === undefined ? {} : { authorization: `Bearer ${Redacted.value(endpoint.apiKey)}` })
    },
    body: JSON.stringify({
      model: endpoint.model,
      // An empty input is refused by most servers.
      input: texts.map((text) => (text.trim() === "" ? "-" : text.slice(0, textMax))),
      encoding_format: "float"
    })
  })

/** The vectors of 1 to `batchMax` texts, in their order; `timeoutMs` is for the whole answer. */
export const embeddings = (
  endpoint: EmbeddingEndpoint,
  texts: ReadonlyArray<string>,
  timeoutMs: number
): Effect.Effect<ReadonlyArray<Float32Array>, EmbeddingError> =>
  Effect.tryPromise({
    try: async (interrupted) => {
      const signal = AbortSignal.any([interrupted, AbortSignal.timeout(timeoutMs)])
      const response = await request(endpoint, texts, signal)
      if (response.status !== 200) {
        await response.body?.cancel()
        throw refused(response, Date.now())
      }
      const decoded = decode(jsonOf(await bodyOf(response)), texts.length)
      // Garbage from a gateway passes; a server that always answers so is seen in the job's history.
      if (!decoded.ok) throw new EmbeddingError({ expected: decoded.expected, got: decoded.got, retryable: true })
      return decoded.vectors
    },
    catch: (cause) => asError(cause, timeoutMs)
  })
