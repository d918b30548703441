/**
 * When a failed attempt is tried again. Promises pure policies with full jitter and a cap; whoever runs the job asks them.
 */
import { Duration } from "effect"

export interface Retry {
  /** How often a job is tried again after its first run. */
  readonly retries: number
  readonly baseMs: number
  readonly capMs: number
}

/**
 * Exponential backoff with full jitter: before retry n the wait is random in [0, min(cap, base × 2ⁿ⁻¹)].
 * `attempts` counts retries after the first run (0–1,000).
 */
export const exponential = (options: {
  readonly attempts: number
  readonly base: Duration.Input
  readonly cap?: Duration.Input
}): Retry => ({
  retries: Math.max(0, Math.min(1_000, Math.floor(options.attempts))),
  baseMs: Duration.toMillis(Duration.fromInputUnsafe(options.base)),
  capMs: Duration.toMillis(Duration.fromInputUnsafe(options.cap ?? "10 minutes"))
})

/** Never again: the first failure is the last. */
export const none: Retry = { retries: 0, baseMs: 0, capMs: 0 }

/** What a task without a policy has: 3 retries, base 60 s. */
export const standard: Retry = exponential({ attempts: 3, base: "60 seconds" })

/** The wait before retry `n` (from 1), in ms; undefined where the policy gives up. `random` in [0, 1). */
export const delayMs = (policy: Retry, n: number, random: number): number | undefined =>
  n > policy.retries ? undefined : Math.floor(random * Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(n - 1, 40)))
