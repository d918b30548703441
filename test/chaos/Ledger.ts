/**
 * What is known of every job, from those who cannot lie: the caller (what was asked for and accepted), the handlers (every
 * start and end, written to a file that survives kill -9) and the verbs (what was done to whom, from when to when). Judging
 * is left to the checks.
 */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs"
import { nowMs } from "./Clock.ts"
import type { Ask } from "./Workload.ts"

/** What the caller was told of one ask. `maybe`: the engine could not be reached, the job may be in or not. */
export interface Answer {
  readonly ask: Ask
  readonly at: number
  readonly told: "accepted" | "known" | "maybe" | "refused"
  readonly id: string | undefined
  readonly why?: string
}

/** A word to a job from outside, and what was answered. */
export interface Revocation {
  readonly id: string
  readonly at: number
  readonly answer: string
}

/** One line of a handler, or of a worker process about itself. */
export type Line =
  | readonly [at: number, worker: number, pid: number, what: "start", id: string, attempt: number, task: string]
  | readonly [
      at: number,
      worker: number,
      pid: number,
      what: "end",
      id: string,
      attempt: number,
      how: "done" | "failed" | "snoozed" | "cut"
    ]
  | readonly [at: number, worker: number, pid: number, what: "stalled", from: number]
  | readonly [at: number, worker: number, pid: number, what: "up" | "down"]

/** One run of a handler; `until` undefined where it never told its end. */
export interface Run {
  readonly id: string
  readonly task: string
  readonly attempt: number
  readonly worker: number
  readonly pid: number
  readonly from: number
  readonly until: number | undefined
  readonly how: "done" | "failed" | "snoozed" | "cut" | "never told"
}

/** Something that was done to the engine. `worker`: undefined where all of them felt it. */
export interface Harm {
  readonly verb: string
  readonly worker: number | undefined
  readonly from: number
  until: number
}

export class Ledger {
  readonly answers: Array<Answer> = []
  readonly revocations: Array<Revocation> = []
  readonly harms: Array<Harm> = []
  /** When a worker's process ended, by pid. */
  readonly deaths = new Map<
    number,
    { readonly worker: number; readonly at: number; readonly how: "killed" | "stopped" }
  >()
  readonly file: string

  constructor(file: string) {
    this.file = file
    closeSync(openSync(file, "a"))
  }

  /** Notes a harm from now until the returned function is called. */
  harm(verb: string, worker: number | undefined): () => void {
    const harm: Harm = { verb, worker, from: nowMs(), until: Number.POSITIVE_INFINITY }
    this.harms.push(harm)
    return () => void (harm.until = Math.min(harm.until, nowMs()))
  }

  /** What handlers and workers have written. A line cut short by a kill tells nothing. */
  lines(): ReadonlyArray<Line> {
    if (!existsSync(this.file)) return []
    const out: Array<Line> = []
    for (const text of readFileSync(this.file, "utf8").split("\n")) {
      if (text.endsWith("]")) out.push(JSON.parse(text) as Line)
    }
    return out
  }
}

/**
 * Every run that the lines tell, in the order of their starts. A process that loses a claim and is given the job anew may begin
 * it before the lost run has told its end: ends belong to the run that began first.
 */
export const runsOf = (lines: ReadonlyArray<Line>): ReadonlyArray<Run> => {
  const runs: Array<Run> = []
  const open = new Map<string, Array<number>>()
  for (const line of lines) {
    if (line[3] === "start") {
      const [from, worker, pid, , id, attempt, task] = line
      const key = `${pid} ${id} ${attempt}`
      open.set(key, [...(open.get(key) ?? []), runs.length])
      runs.push({ id, task, attempt, worker, pid, from, until: undefined, how: "never told" })
    } else if (line[3] === "end") {
      const at = open.get(`${line[2]} ${line[4]} ${line[5]}`)?.shift()
      const run = at === undefined ? undefined : runs[at]
      if (at !== undefined && run !== undefined) runs[at] = { ...run, until: line[0], how: line[6] }
    }
  }
  return runs
}

/** A pen for one worker process: each line is one write of the system, so a kill takes at most the line under way. */
export const penOf = (file: string) => {
  const handle = openSync(file, "a")
  return (line: Line): void => void writeSync(handle, `${JSON.stringify(line)}\n`)
}
