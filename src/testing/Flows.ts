/**
 * What follows the end of a job in memory: the next of its chain, a group's members, its place in a group, its callbacks.
 * Promises what the real engine promises: each of them starts once, and a failure ends all that waits for it.
 */
import { type Blame, flowFailed } from "../jobs/Blame.ts"
import * as Job from "../jobs/Job.ts"
import type { Entry, Link, Plan } from "../jobs/Plan.ts"
import type { Jobs, Kept } from "./Kept.ts"

interface Group {
  readonly total: number
  readonly results: Map<number, unknown>
}

export class Flows {
  private readonly jobs: Jobs
  private readonly groups = new Map<string, Group>()
  private readonly fans = new Map<string, ReadonlyArray<Entry>>()

  constructor(jobs: Jobs) {
    this.jobs = jobs
  }

  /** Takes in the jobs of a plan that wait for others. */
  prepare({ fans, groups, waiting }: Plan, now: number): void {
    for (const entry of waiting) {
      this.jobs.keep(entry, { state: "scheduled", now, delayMs: Number.POSITIVE_INFINITY })
    }
    for (const { entry, members } of groups) this.groups.set(entry.id, { total: members.length, results: new Map() })
    for (const { heads, id } of fans) this.fans.set(id, heads)
  }

  /** Starts what follows a job that is done. */
  done({ entry, result }: Kept, now: number): void {
    const { b, l } = entry.meta ?? {}
    this.begin(b, result, now)
    for (const target of this.waiting(l)) {
      if (l === undefined) continue
      if ("join" in l) this.join(target, l.join.id, l.join.index, result)
      else {
        const { fixed, payload } = target.entry
        this.jobs.release(target, fixed === true ? payload : Job.merge(result, payload))
      }
    }
  }

  /** Starts the callbacks of a job that has failed; returns the jobs that it takes with it, and why. */
  failed({ entry }: Kept, blame: Blame, now: number) {
    this.begin(entry.meta?.e, { ...blame }, now)
    return { taken: this.waiting(entry.meta?.l), error: flowFailed(blame) }
  }

  private join(target: Kept, id: string, index: number, result: unknown): void {
    const group = this.groups.get(id)
    group?.results.set(index, result)
    if (group === undefined || group.results.size < group.total) return
    this.jobs.release(target, { results: Array.from({ length: group.total }, (_, i) => group.results.get(i)) })
  }

  private begin(callbacks: ReadonlyArray<Entry> | undefined, result: unknown, now: number): void {
    for (const c of callbacks ?? []) {
      this.jobs.keep({ ...c, payload: Job.merge(result, c.payload) }, { state: "queued", now, delayMs: 0 })
    }
  }

  /** The jobs that a link leads to and that wait still. */
  private waiting(link: Link | undefined): ReadonlyArray<Kept> {
    return targets(link, this.fans).flatMap((id) => {
      const kept = this.jobs.all.get(id)
      return kept !== undefined && kept.state === "scheduled" && kept.due === Number.POSITIVE_INFINITY ? [kept] : []
    })
  }
}

const targets = (link: Link | undefined, fans: ReadonlyMap<string, ReadonlyArray<Entry>>): ReadonlyArray<string> => {
  if (link === undefined) return []
  if ("next" in link) return [link.next.id]
  return "join" in link ? [link.join.id] : (fans.get(link.fan.id) ?? []).map((head) => head.id)
}
