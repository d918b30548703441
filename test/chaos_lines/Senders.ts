/**
 * Those who send numbered lines through the doors, as shippers do: again under the same key until a 2xx comes, or once without
 * a key. Promises that every line of a run is in the ledger, with what its sender was told.
 */
import { setTimeout as pause } from "node:timers/promises"
import type { Dice } from "../chaos/Seed.ts"
import type { DoorName, Sending } from "./Ledger.ts"

export interface Sender {
  /** Sends until told to end; then repeats what is under way until it is answered. */
  readonly run: (ending: AbortSignal) => Promise<ReadonlyArray<Sending>>
}

interface Way {
  readonly url: string
  readonly key: string
  readonly project: string
}

/** How long a sender waits for an answer, ms. */
const patienceMs = 4_000
/** How long what is under way is repeated when all is well again, ms. */
const insistMaxMs = 60_000

/** One request. Undefined: no answer came, so nobody knows. */
const post = async (
  way: Way,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>>
): Promise<Response | undefined> => {
  try {
    const response = await fetch(way.url + path, {
      method: "POST",
      body,
      headers: { authorization: `Bearer ${way.key}`, "x-loglytics-project": way.project, ...headers },
      signal: AbortSignal.timeout(patienceMs)
    })
    return response
  } catch {
    return undefined
  }
}

const isMatching = (number: number): boolean => number % 3 === 0
const lineOf = (message: string, matching: boolean): string =>
  `level=${matching ? "error" : "info"} service=chaos msg="${message}"`

interface Drawn {
  readonly lines: ReadonlyArray<string>
  readonly matching: ReadonlyArray<string>
  readonly text: string
}

/** Sends a drawn set once or until it is answered; what came of it. */
type Send = (way: Way, drawn: Drawn, id: string, ending: AbortSignal) => Promise<Pick<Sending, "told" | "tries">>

/** Until a 2xx comes: the same request under the same key. */
const insist = async (ending: AbortSignal, attempt: () => Promise<Response | undefined>) => {
  let until = Number.POSITIVE_INFINITY
  for (let tries = 1; ; tries++) {
    const response = await attempt()
    if (response?.ok === true) return { told: "accepted" as const, tries, response }
    await response?.text().catch(() => "")
    if (ending.aborted) until = Math.min(until, Date.now() + insistMaxMs)
    if (Date.now() > until) return { told: "unknown" as const, tries, response: undefined }
    await pause(100)
  }
}

const once = async (response: Promise<Response | undefined>) =>
  ({ told: (await response)?.ok === true ? "accepted" : "unknown", tries: 1 }) as const

const text = { "content-type": "text/plain" }

const sends: Readonly<Record<DoorName, Send>> = {
  http: (way, { text: body }, id, ending) =>
    insist(ending, () => post(way, "/v1/logs", body, { ...text, "idempotency-key": id })),
  "http once": (way, { text: body }) => once(post(way, "/v1/logs", body, text)),
  otlp: (way, { lines, matching }) => {
    const wanted = new Set(matching)
    const logRecords = lines.map((line) => ({
      timeUnixNano: `${Date.now()}000000`,
      severityNumber: wanted.has(line) ? 17 : 9,
      body: { stringValue: line }
    }))
    const body = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })
    return once(post(way, "/v1/otlp/v1/logs", body, { "content-type": "application/json" }))
  },
  // The upload is sent once, since a second one is a second file; its processing until it is accepted.
  upload: async (way, { text: body }, id, ending) => {
    const response = await post(way, `/logs/upload?name=${id}.log`, body, text)
    const file =
      response?.ok === true ? ((await response.json().catch(() => undefined)) as { readonly id: string }) : undefined
    if (file === undefined) return { told: "unknown", tries: 1 }
    return insist(ending, () => post(way, `/logs/process/${file.id}`, "", {}))
  }
}

/** `lines`: at most so many in one request. `everyMs`: how long between two, about. */
export const makeSender = (
  name: string,
  door: DoorName,
  way: Way,
  dice: Dice,
  options: { readonly lines: number; readonly everyMs: number }
): Sender => ({
  run: async (ending) => {
    const sendings: Array<Sending> = []
    let number = 0
    for (let request = 0; !ending.aborted; request++) {
      const numbers = Array.from({ length: dice.int(1, options.lines) }, () => number++)
      const messageOf = (n: number) => `${name}-${n}`
      const drawn: Drawn = {
        lines: numbers.map(messageOf),
        matching: numbers.filter(isMatching).map(messageOf),
        text: numbers.map((n) => lineOf(messageOf(n), isMatching(n))).join("\n")
      }
      const { told, tries } = await sends[door](way, drawn, `${name}.${request}`, ending)
      sendings.push({ door, lines: drawn.lines, matching: drawn.matching, told, tries })
      await pause(dice.int(0, options.everyMs * 2))
    }
    return sendings
  }
})
