/**
 * The work of a chaos run: which jobs are asked for when, all from the seed, and how each of them must end. Promises a mix of
 * everything the engine can do; asking is left to the caller.
 */
import * as Flow from "../../src/jobs/Flow.ts"
import type { EnqueueOptions } from "../../src/jobs/Engine.ts"
import type { Job } from "../../src/jobs/Job.ts"
import type { Dice } from "./Seed.ts"
import * as Tasks from "./tasks.ts"

/** How a job may end: with this sum, dead, or (where it is revoked) either of those or cancelled. */
export interface Fate {
  readonly states: ReadonlyArray<"done" | "dead" | "cancelled">
  readonly sum?: number
}

export interface Ask {
  /** ms after the start of the run. */
  readonly at: number
  readonly n: number
  readonly kind: string
  readonly job: Job<unknown>
  readonly options: EnqueueOptions
  /** Asked again under the same id until the engine has answered. */
  readonly insist: boolean
  /** Revoked so many ms after it was accepted. */
  readonly revokeAfter: number | undefined
  readonly fate: Fate
}

type Draft = Pick<Ask, "job" | "fate"> & Partial<Pick<Ask, "options" | "revokeAfter">>

interface Kind {
  readonly kind: string
  readonly weight: number
  readonly draft: (n: number, dice: Dice, leaseMs: number) => Draft
}

const done = (n: number): Fate => ({ states: ["done"], sum: Tasks.sumOf(n) })
const dead: Fate = { states: ["dead"] }
const script = (n: number, ms: number, times = 0): Tasks.Script => ({ n, ms, times })

const kinds: ReadonlyArray<Kind> = [
  {
    kind: "plain",
    weight: 30,
    draft: (n, d) => ({
      job: d.pick([Tasks.Plain, Tasks.Urgent, Tasks.Lazy]).job(script(n, d.int(0, 20))),
      fate: done(n)
    })
  },
  {
    kind: "delayed",
    weight: 8,
    draft: (n, d) => ({
      job: Tasks.Plain.job(script(n, d.int(0, 10))),
      options: { delay: d.int(1, 1_500) },
      fate: done(n)
    })
  },
  {
    kind: "expiring",
    weight: 4,
    // Long enough for any run: a worker whose clock is ahead must not cancel it.
    draft: (n, d) => ({
      job: Tasks.Plain.job(script(n, d.int(0, 10))),
      options: { expires: "3 minutes" },
      fate: done(n)
    })
  },
  {
    kind: "retried",
    weight: 10,
    draft: (n, d) => ({ job: Tasks.Shaky.job(script(n, d.int(0, 10), d.int(1, 4))), fate: done(n) })
  },
  {
    kind: "snoozing",
    weight: 6,
    draft: (n, d) => ({ job: Tasks.Doze.job(script(n, d.int(0, 10), d.int(1, 3))), fate: done(n) })
  },
  {
    kind: "unique",
    weight: 8,
    // Which of those with one key gets in is the engine's choice; whoever does must be done.
    draft: (n, d) => ({ job: Tasks.Once.job(script(n, d.int(10, 60))), fate: { states: ["done"] } })
  },
  {
    kind: "long",
    weight: 2,
    draft: (n, d, leaseMs) => ({
      job: Tasks.Plain.job(script(n, Math.round(leaseMs * (1 + d.next() * 2)))),
      fate: done(n)
    })
  },
  { kind: "doomed", weight: 3, draft: (n, d) => ({ job: Tasks.Doomed.job(script(n, d.int(0, 10), 99)), fate: dead }) },
  { kind: "refused", weight: 2, draft: (n, d) => ({ job: Tasks.Refused.job(script(n, d.int(0, 5), 99)), fate: dead }) },
  {
    kind: "revoked",
    weight: 6,
    draft: (n, d, leaseMs) => ({
      job: Tasks.Plain.job(script(n, d.pick([0, 50, leaseMs]))),
      options: d.next() < 0.5 ? { delay: d.int(100, 1_000) } : {},
      revokeAfter: d.int(0, 400),
      fate: { states: ["done", "cancelled"], sum: Tasks.sumOf(n) }
    })
  },
  {
    kind: "chain",
    weight: 6,
    draft: (n, d) => ({
      job: Tasks.Plain.job(script(n, d.int(0, 10)))
        .andThen(Tasks.Double, {})
        .andThen(Tasks.Double, {}),
      fate: { states: ["done"], sum: 4 * Tasks.sumOf(n) }
    })
  },
  {
    kind: "chord",
    weight: 4,
    draft: (n, d) => {
      const members = Array.from({ length: d.int(2, 8) }, (_, i) => i)
      const job = (i: number) => Tasks.Lazy.job(script(n + i, d.int(0, 10))).andThen(Tasks.Double, {})
      return {
        job: Flow.all(members.map(job)).andThen(Tasks.Total, {}),
        fate: { states: ["done"], sum: members.reduce((sum, i) => sum + 2 * Tasks.sumOf(n + i), 0) }
      }
    }
  },
  {
    kind: "failed chord",
    weight: 2,
    draft: (n, d) => {
      const fine = (i: number) => Tasks.Plain.job(script(n + i, d.int(0, 10)))
      return {
        job: Flow.all([fine(0), Tasks.Refused.job(script(n, 1, 99)), fine(1)]).andThen(Tasks.Total, {}),
        fate: dead
      }
    }
  }
]

export interface WorkloadOptions {
  readonly forMs: number
  /** Asks in a second, on average; now and then ten come at once. */
  readonly perSecond: number
  readonly leaseMs: number
}

/** Every ask of a run, in the order of time. */
export const workload = (dice: Dice, { forMs, leaseMs, perSecond }: WorkloadOptions): ReadonlyArray<Ask> => {
  const asks: Array<Ask> = []
  let n = 0
  for (let at = 0; at < forMs; at += (dice.next() * 2 * 1_000) / perSecond) {
    const burst = dice.next() < 0.02 ? 10 : 1
    for (let i = 0; i < burst; i++) {
      n += 10
      const { kind, draft } = dice.weighted(kinds)
      const { fate, job, options = {}, revokeAfter } = draft(n, dice, leaseMs)
      const insist = kind !== "unique" && dice.next() < 0.5
      asks.push({
        at,
        n,
        kind,
        job,
        options: insist ? { ...options, id: `ask-${n}` } : options,
        insist,
        revokeAfter,
        fate
      })
    }
  }
  return asks
}
