/**
 * Whether leases were honoured: an orphan starts again in time, and what a living worker runs is run by nobody else. Only a
 * worker that was frozen, cut off, or held back by the machine may lose what it runs. Pure.
 */
import { type Check, calm, type Evidence } from "./Checks.ts"
import { claimsOf } from "./History.ts"
import type { Harm, Run } from "./Ledger.ts"

/** ms beyond two leases that a machine under load may take to start what was taken over. */
const slackMs = 1_500

/**
 * What a dead worker was running is claimed within two leases of its death, not counting times of other harm, and starts within
 * as long after that. Whoever claimed it may be lost before it begins; then the same holds from its last renewal. Where the
 * group is lost meanwhile the claim is too, and it comes again like any other entry, when its turn comes.
 */
export const orphansInTime: Check = (evidence) => {
  const { deaths, harms, left, runs } = evidence
  const byJob = groupBy(runs)
  return runs.flatMap((run) => {
    const death = deaths.get(run.pid)
    if (run.until !== undefined || death === undefined || death.how !== "killed") return []
    const again = byJob.get(run.id)?.find((other) => other.from > death.at)
    // Its end may have been settled by another run, or by a revoke.
    if (again !== undefined) {
      const ms = Math.round(again.from - death.at)
      const late = Math.min(latest(evidence, death.at), again.from)
      const unclaimed = groupLost(harms, death.at, late)
      return unclaimed || handedOnInTime(evidence, run.id, death.at, again.from)
        ? []
        : [`job ${run.id} started again ${ms} ms after its worker's death`]
    }
    const state = left.jobs.get(run.id)?.state ?? "unknown"
    const elsewhere = byJob.get(run.id)?.some((other) => other !== run && (other.until ?? 0) > run.from) === true
    return state === "cancelled" || elsewhere ? [] : [`job ${run.id} never started again; it is ${state}`]
  })
}

/** By when what was left at a moment is to have been claimed, or what was claimed is to have started. */
const latest = ({ harms, leaseMs }: Evidence, since: number): number => calm(harms, since, 2 * leaseMs) + slackMs

/** Whether each claim between a death and the next start came in time, and the start after the last of them. */
const handedOnInTime = (evidence: Evidence, id: string, death: number, started: number): boolean => {
  let since = death
  let lost = death
  for (const { from, renewed } of claimsOf(evidence.history, id)) {
    if (from <= death || from > started) continue
    if (from > latest(evidence, lost)) return false
    since = from
    lost = renewed
  }
  return started <= latest(evidence, since)
}

/** A worker that could not reach Redis beats its heart again after this long at most, ms; until then it runs what it held. */
const recoveryMs = 2_500

/** Harm that stops no worker from renewing its leases. */
const harmless = new Set(["paused", "slowed", "killed", "stopped"])

/** Nobody starts what a living worker runs, unless that worker was kept from renewing its lease. */
export const neverTwoAtOnce: Check = (evidence) => {
  const byJob = groupBy(evidence.runs)
  return [...byJob].flatMap(([id, runs]) =>
    runs.flatMap((run, i) => {
      const until = run.until ?? evidence.deaths.get(run.pid)?.at ?? Number.POSITIVE_INFINITY
      const other = runs.slice(i + 1).find((next) => next.from < until)
      if (other === undefined || excused(evidence, run, other) || again(evidence, runs, run)) return []
      const ms = Math.round(other.from - run.from)
      return [
        `job ${id} ran on worker ${run.worker}, ${ms} ms later on worker ${other.worker} too, and no harm explains it`
      ]
    })
  )
}

/**
 * After the loss of a group every entry that is still kept comes again, when its turn comes: all those of a job that was tried
 * several times, though it has ended. Their ends are refused, which another check sees to.
 */
const again = ({ harms }: Evidence, runs: ReadonlyArray<Run>, run: Run): boolean => {
  const first = runs[0]?.from ?? run.from
  return groupLost(harms, first, run.from)
}

/** Whether the group may have been lost between two moments: it went at some moment of the harm. */
const groupLost = (harms: ReadonlyArray<Harm>, after: number, before: number): boolean =>
  harms.some(({ from, until, verb }) => verb === "group destroyed" && after < until && from < before)

const excused = ({ deaths, harms, leaseMs }: Evidence, run: Run, other: Run): boolean => {
  // A worker that is stopped gives its jobs back after its drain; the handlers end a moment later.
  if (deaths.get(run.pid)?.how === "stopped" && (deaths.get(run.pid)?.at ?? 0) - other.from < 3_000) return true
  const felt = (harm: Harm) => harm.worker === undefined || harm.worker === run.worker || harm.worker === other.worker
  return harms.some(
    (harm) =>
      !harmless.has(harm.verb) && felt(harm) && harm.from < other.from && harm.until > run.from - leaseMs - recoveryMs
  )
}

const groupBy = (runs: ReadonlyArray<Run>): ReadonlyMap<string, ReadonlyArray<Run>> =>
  Map.groupBy(runs, (run) => run.id)
