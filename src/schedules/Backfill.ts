/** Which slots of the past are made up for, decided purely, with the reason where it is refused. Adding their jobs is left to others. */
import { Result } from "effect"
import type { Issue } from "../jobs/Engine.ts"
import * as Policy from "./Policy.ts"
import type { Schedule } from "./Schedule.ts"

/** Most jobs of one backfill. */
const backfillMax = 10_000

export interface BackfillOptions {
  /** Slots from here, epoch ms, inclusive … */
  readonly from: number
  /** … to here, inclusive; not in the future. */
  readonly to: number
  /** Fire those again that have fired. */
  readonly force?: boolean | undefined
  /** Most jobs; default 1,000, at most 10,000. More slots than this are refused. */
  readonly limit?: number | undefined
  /** Jobs started per second, by delaying the later ones; default 100. */
  readonly perSecond?: number | undefined
}

/** The slots that a backfill fires, or why it is refused. Pure. */
export const planBackfill = (
  s: Schedule,
  o: BackfillOptions,
  now: number,
  fired: ReadonlySet<number>,
  oldest: number
): Result.Result<{ readonly slots: ReadonlyArray<number>; readonly known: number }, ReadonlyArray<Issue>> => {
  const limit = o.limit ?? 1_000
  const iso = (ms: number) => (Number.isFinite(ms) ? new Date(ms).toISOString() : String(ms))
  const fail = (path: string, message: string) => Result.fail([{ path, message }])
  if (!(limit >= 1 && limit <= backfillMax)) return fail("limit", `expected 1 to ${backfillMax}, got ${limit}`)
  if (o.perSecond !== undefined && !(o.perSecond > 0)) {
    return fail("perSecond", `expected a number above 0, got ${o.perSecond}`)
  }
  if (!(o.from <= o.to)) return fail("to", `expected a time at or after ${iso(o.from)}, got ${iso(o.to)}`)
  if (!(o.to <= now)) return fail("to", `expected a time that is past, got ${iso(o.to)}`)
  if (o.force !== true && o.from < oldest) {
    const message = `expected a time from ${iso(oldest)} on, got ${iso(o.from)}: what fired before is no longer known (force fires it again)`
    return fail("from", message)
  }
  const all = Policy.slotsBetween(s.when, o.from - 1, o.to, limit + fired.size + 1)
  const slots = o.force === true ? all : all.filter((slot) => !fired.has(slot))
  if (slots.length > limit)
    return fail("limit", `expected at most ${limit} slots from ${iso(o.from)} to ${iso(o.to)}, got more`)
  return Result.succeed({ slots, known: all.length - slots.length })
}
