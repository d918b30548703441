/**
 * What must be true of a run, whatever was done to it: one check each, from the evidence alone. A finding is a sentence with
 * the job it is about. Pure; test/chaos/checks.test.ts shows that each of them can fail.
 */
import type { History } from "./History.ts"
import type { Harm, Ledger, Run } from "./Ledger.ts"
import type { Left, Looks } from "./Watch.ts"

export interface Evidence {
  readonly leaseMs: number
  readonly answers: Ledger["answers"]
  readonly revocations: Ledger["revocations"]
  readonly harms: ReadonlyArray<Harm>
  readonly deaths: Ledger["deaths"]
  readonly runs: ReadonlyArray<Run>
  readonly history: History
  readonly looks: Looks
  readonly left: Left
  /** What queues still held when time was up; nothing in a good run. */
  readonly held: Readonly<Record<string, string>>
}

export type Check = (evidence: Evidence) => ReadonlyArray<string>

const finals = new Set(["done", "dead", "cancelled"])

/** Every job that was accepted has ended, in a way it may end, with the right result. */
export const nothingLost: Check = ({ answers, left }) =>
  answers.flatMap(({ ask, id, told }) => {
    if (id === undefined || (told !== "accepted" && told !== "known")) return []
    const job = left.jobs.get(id)
    const what = `${ask.kind} job ${id}`
    if (job === undefined) return [`${what} was accepted, nothing is known of it`]
    if (!ask.fate.states.some((state) => state === job.state)) {
      return [`${what} must be ${ask.fate.states.join(" or ")}, it is ${job.state}: ${job.error ?? ""}`]
    }
    if (job.state !== "done" || ask.fate.sum === undefined) return []
    const wanted = JSON.stringify({ sum: ask.fate.sum })
    return job.result === wanted ? [] : [`${what} must give ${wanted}, it gave ${job.result}`]
  })

const flows = new Set(["chain", "chord", "failed chord"])

/** Nothing waits or runs for ever: the queues are empty, and whatever Redis ever knew has ended. */
export const allEnded: Check = ({ answers, held, history }) => {
  const halfAsked = answers.some((a) => a.told === "maybe" && flows.has(a.ask.kind))
  return [
    ...Object.entries(held).map(([queue, what]) => `${queue} is not empty: ${what}`),
    ...[...history.steps].flatMap(([id, steps]) => {
      const last = steps.at(-1)?.state ?? ""
      // What waits for a flow whose asking broke off is forgotten by its time to live.
      return finals.has(last) || (last === "waiting" && halfAsked) ? [] : [`job ${id} was left ${last}`]
    })
  ]
}

/** State → what may follow it. */
const legal: Readonly<Record<string, ReadonlyArray<string>>> = {
  "": ["queued", "scheduled", "waiting"],
  waiting: ["queued", "dead", "cancelled"],
  scheduled: ["queued", "cancelled"],
  queued: ["done", "dead", "cancelled", "retrying", "scheduled"],
  retrying: ["queued", "cancelled"],
  done: [],
  dead: [],
  cancelled: []
}

/** Each job went from state to state as it may, by every write of Redis; so none finished twice. */
export const orderLegal: Check = ({ history }) =>
  [...history.steps].flatMap(([id, steps]) => {
    let before = ""
    for (const { state } of steps) {
      if (legal[before]?.includes(state) !== true) {
        return [`job ${id} went from ${before || "nothing"} to ${state}: ${steps.map((s) => s.state).join(" → ")}`]
      }
      before = state
    }
    return []
  })

/** A job stands in a stream once for each time it was queued, not more often: no answer that was lost made two of it. */
export const queuedOnce: Check = ({ history }) =>
  [...history.entries].flatMap(([id, added]) => {
    const queued = history.steps.get(id)?.filter(({ state }) => state === "queued").length ?? 0
    return added <= queued ? [] : [`job ${id} was added ${added} times, queued ${queued} times`]
  })

/** Of jobs with one unique key, one at a time was unfinished. */
export const uniqueAlone: Check = ({ history }) => {
  const holders = new Map<string, string>()
  const findings: Array<string> = []
  for (const [id, state] of history.order) {
    const key = history.uniques.get(id)
    if (key === undefined) continue
    const holder = holders.get(key)
    if (finals.has(state)) {
      if (holder === id) holders.delete(key)
    } else if (holder === undefined) holders.set(key, id)
    else if (holder !== id) findings.push(`job ${id} was let in while ${holder} held ${key}`)
  }
  return findings
}

/** Nobody made a result up: a job that is done has a run of its handler that ended well. */
export const resultsEarned: Check = ({ answers, left, runs }) => {
  const earned = new Set(runs.filter((run) => run.how === "done").map((run) => run.id))
  return answers.flatMap(({ id }) =>
    id !== undefined && left.jobs.get(id)?.state === "done" && !earned.has(id)
      ? [`job ${id} is done, no handler has done it`]
      : []
  )
}

/** What was answered to a revoke is so: `cancelled` and `final` mean what they say. */
export const revokesKept: Check = ({ left, revocations }) =>
  revocations.flatMap(({ answer, id }) => {
    const state = left.jobs.get(id)?.state ?? "unknown"
    return answer === "cancelled" && state !== "cancelled" ? [`job ${id} was revoked (${answer}), it is ${state}`] : []
  })

/** What is told of ends is so, and is told of one end only. */
export const eventsTrue: Check = ({ left }) => {
  const ends = new Map<string, string>()
  return left.rows.flatMap((row) => {
    const [id, , state, attempt, , startedAt] = row
    if (!finals.has(state)) return []
    const kept = left.jobs.get(id)?.state
    if (kept !== state) return [`an event says that job ${id} is ${state}, it is ${kept}`]
    const end = `${state}, run ${attempt} of ${startedAt}`
    const known = ends.get(id)
    ends.set(id, end)
    return known === undefined || known === end ? [] : [`events tell two ends of job ${id}: ${known}; ${end}`]
  })
}

/** ms within which a lag that Redis 7.0 forgot in a restart is right again. */
const mendedMs = 3_000

/** XINFO's lag was the number of entries to deliver, at every look; after a restart of Redis within three seconds. */
export const lagTrue: Check = ({ harms, looks }) => {
  const restarts = harms.filter((h) => h.verb.startsWith("redis"))
  const wrong = looks.wrong.filter(
    ({ at }) => !restarts.some((h) => at >= h.from && at <= calm(harms, h.until, mendedMs))
  )
  const few = looks.count < 10 ? [`lag was looked at ${looks.count} times only`] : []
  return [...few, ...wrong.slice(0, 5).map((w) => `lag of ${w.queue} was ${w.lag} where ${w.truth} entries waited`)]
}

/** Keys that live as long as the engine, by what follows the queue. */
const lasting = /\}:(?:jobs|delayed|dead|meta|cursor|revoked)$/u
const lastingShared = /^[^:]+:(?:events|workers|beat|limits)$/u

/** Nothing is left that would stay for ever: ended jobs have a time to live, keys of the moment are gone. */
export const nothingLeaks: Check = ({ left }) =>
  left.keys.flatMap(({ key, ttl }) => {
    if (ttl >= 0 || lasting.test(key) || lastingShared.test(key)) return []
    return [`${key} has no time to live`]
  })

/** The first moment from `at` on with `ms` behind it in which nothing was harmed. */
export const calm = (harms: ReadonlyArray<Harm>, at: number, ms: number, spare?: Harm): number => {
  let end = at + ms
  for (const harm of harms.toSorted((a, b) => a.from - b.from)) {
    if (harm !== spare && harm.from < end && harm.until > at) end = Math.max(end, harm.until + ms)
  }
  return end
}
