/** Which time limits an attempt has: those of the call, of whoever set them at run time, of the task. Pure. */
import type { Registration } from "../jobs/Registry.ts"
import type { Override } from "../streams/Settings.ts"

export interface TimeLimits {
  /** ms after which the attempt is interrupted. */
  readonly softMs: number | undefined
  /** ms after which it is abandoned where it has no soft limit. */
  readonly hardMs: number | undefined
  /** ms from its interrupt until it is abandoned. */
  readonly graceMs: number
}

/** `calledMs`: limit that the caller asked for; `graceMs`: what an attempt gets whose task has no hard limit. */
export const timeLimits = (
  task: Pick<Registration, "timeoutMs" | "hardTimeoutMs">,
  calledMs: number | undefined,
  set: Override["time"],
  graceMs: number
): TimeLimits => {
  const softMs = calledMs ?? (set === undefined ? task.timeoutMs : (set.softMs ?? undefined))
  const hardMs = set === undefined ? task.hardTimeoutMs : (set.hardMs ?? undefined)
  // A hard limit below the soft one leaves no grace: the attempt is interrupted and abandoned at once.
  const grace = softMs === undefined || hardMs === undefined ? graceMs : Math.max(0, hardMs - softMs)
  return { softMs, hardMs, graceMs: grace }
}
