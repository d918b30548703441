/**
 * Whether leases were honoured: an orphan starts again in time, and what a living worker runs is run by nobody else. Only a
 * worker that was frozen, cut off, or held back by the machine may lose what it runs. Pure.
 */
import { type Check, calm, type Evidence } from "./Checks.ts"
import type { Harm, Run } from "./Ledger.ts"

/** ms beyond two leases that a machine under load may take to start what was taken over. */
const slackMs = 1_500

/**
 * What a dead worker was running starts again within two leases of its death, not counting times of other harm. Where the group
 * is lost meanwhile its claim is too: then it comes again like any other entry, when its turn comes. Whoever took it over may
 * have died before it began: the attempt that is missing then tells of it, and the time runs from that death.
 */
export const orphansInTime: Check = (evidence) => {
  const { deaths, harms, left, runs } = evidence
  const byJob = groupBy(runs)
  return runs.flatMap((run) => {
    const death = deaths.get(run.pid)
    if (run.until !== undefined || death === undefined || death.how !== "killed") return []
    const again = byJob.get(run.id)?.find((other) => other.from > death.at)
    // Its end may have been settled by another run, or by a revoke.
    const late = latest(evidence, death.at)
    if (again !== undefined) {
      const ms = Math.round(again.from - death.at)
      const unclaimed = harms.some(
        ({ from, verb }) => verb === "group destroyed" && death.at < from && from < Math.min(late, again.from)
      )
      return unclaimed || inTime(evidence, death.at, again.from, again.attempt - run.attempt - 1)
        ? []
        : [`job ${run.id} started again ${ms} ms after its worker's death`]
    }
    const state = left.jobs.get(run.id)?.state ?? "unknown"
    const elsewhere = byJob.get(run.id)?.some((other) => other !== run && (other.until ?? 0) > run.from) === true
    return state === "cancelled" || elsewhere ? [] : [`job ${run.id} never started again; it is ${state}`]
  })
}

/** When the orphans of a death are to have started again. */
const latest = ({ harms, leaseMs }: Evidence, death: number): number => calm(harms, death, 2 * leaseMs) + slackMs

/** Whether what was left at a death started in time, where `lost` others had it meanwhile and died in their turn. */
const inTime = (evidence: Evidence, death: number, started: number, lost: number): boolean => {
  const late = latest(evidence, death)
  if (started <= late) return true
  if (lost <= 0) return false
  return [...evidence.deaths.values()].some(
    ({ at, how }) =>
      how === "killed" && death < at && at < Math.min(late, started) && inTime(evidence, at, started, lost - 1)
  )
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
  return harms.some(({ from, verb }) => verb === "group destroyed" && first < from && from < run.from)
}

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
