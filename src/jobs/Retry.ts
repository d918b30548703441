/**
 * When a failed attempt is tried again. Promises pure policies, with a cap and jitter, chosen by the error where one wants
 * that; whoever runs the job asks them.
 */
import { Duration } from "effect"

/**
 * How chance spreads a wait: `full` anywhere between nothing and the wait, `equal` in its upper half, `none` not at all.
 * Many jobs that fail together come back together without jitter, and then fail together again.
 */
export type Jitter = "full" | "equal" | "none"

/** An error's `_tag`, or what an error must be like. */
export type Match = string | ((error: unknown) => boolean)

export interface Retry {
  /** How often a job is tried again after its first run; Infinity = for ever. */
  readonly retries: number
  readonly baseMs: number
  readonly capMs: number
  /** What each further wait is multiplied with; default 2. */
  readonly factor?: number
  /** Default full. */
  readonly jitter?: Jitter
  /** Policies for certain errors; the first that matches counts. */
  readonly rules?: ReadonlyArray<{ readonly match: Match; readonly retry: Retry }>
}

const attemptsOf = (attempts: number): number =>
  attempts === Number.POSITIVE_INFINITY ? attempts : Math.max(0, Math.min(1_000, Math.floor(attempts)))
const millis = (input: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(input))

/**
 * Exponential backoff: before retry n the wait is min(cap, base × factorⁿ⁻¹), spread by the jitter (full by default).
 * `attempts` counts retries after the first run (0–1,000, or Infinity); the cap is 10 minutes by default.
 */
export const exponential = (options: {
  readonly attempts: number
  readonly base: Duration.Input
  readonly cap?: Duration.Input
  readonly factor?: number
  readonly jitter?: Jitter
}): Retry => ({
  retries: attemptsOf(options.attempts),
  baseMs: millis(options.base),
  capMs: millis(options.cap ?? "10 minutes"),
  ...(options.factor === undefined ? {} : { factor: Math.max(1, options.factor) }),
  ...(options.jitter === undefined ? {} : { jitter: options.jitter })
})

/** The same wait each time, without jitter unless asked for. `attempts` as in `exponential`. */
export const fixed = (options: {
  readonly attempts: number
  readonly delay: Duration.Input
  readonly jitter?: Jitter
}): Retry => {
  const ms = millis(options.delay)
  return { retries: attemptsOf(options.attempts), baseMs: ms, capMs: ms, factor: 1, jitter: options.jitter ?? "none" }
}

/** Never again: the first failure is the last. */
export const none: Retry = { retries: 0, baseMs: 0, capMs: 0 }

/** What a task without a policy has: 3 retries, base 60 s. */
export const standard: Retry = exponential({ attempts: 3, base: "60 seconds" })

/**
 * A policy per error, by its tag or a predicate, in order; all others go by `otherwise`. Time limits have the tag `TimedOut`,
 * bugs `Defect`. Retries are counted over all errors of a job, not per error.
 *
 *     Retry.byError([["Invalid", Retry.none], ["RateLimited", Retry.fixed({ attempts: Infinity, delay: "30 seconds" })]])
 */
export const byError = (rules: ReadonlyArray<readonly [match: Match, retry: Retry]>, otherwise = standard): Retry => ({
  ...otherwise,
  rules: [...rules.map(([match, retry]) => ({ match, retry })), ...(otherwise.rules ?? [])]
})

/** The longest wait that an error may ask for by `retryAfterMs`: 1 day. */
export const retryAfterMaxMs = 86_400_000

export interface Failed {
  /** Which retry is asked for, from 1. */
  readonly n: number
  /** In [0, 1), for the jitter. */
  readonly random: number
  /** What the handler failed with: its tag, `retryable` and `retryAfterMs` are looked at. */
  readonly error: unknown
  /** Retries that the caller asked for instead of the policy's. */
  readonly retries?: number | undefined
}

/** The wait before the next try, in ms; undefined where there is none. */
export const waitMs = (policy: Retry, failed: Failed): number | undefined => {
  const { error, n, random } = failed
  const told = typeof error === "object" && error !== null ? (error as Record<string, unknown>) : {}
  if (told["retryable"] === false) return undefined
  const rule = policy.rules?.find(({ match }) => matches(match, error, told["_tag"]))?.retry
  // A caller may ask for more tries, but not against a rule that says never.
  if (rule?.retries === 0 || n > (failed.retries ?? (rule ?? policy).retries)) return undefined
  const after = told["retryAfterMs"]
  if (typeof after === "number" && after >= 0) return Math.min(retryAfterMaxMs, Math.ceil(after))
  return backoffMs(rule ?? policy, n, random)
}

const matches = (match: Match, error: unknown, tag: unknown): boolean => {
  if (typeof match === "string") return tag === match
  try {
    return match(error)
  } catch {
    return false
  }
}

const backoffMs = (policy: Retry, n: number, random: number): number => {
  const { baseMs, capMs, factor = 2, jitter = "full" } = policy
  const wait = Math.min(capMs, baseMs * factor ** Math.min(n - 1, 40))
  return Math.floor(jitter === "none" ? wait : jitter === "equal" ? wait / 2 + (random * wait) / 2 : random * wait)
}

/** The wait before retry `n` (from 1) whatever the error, in ms; undefined where the policy gives up. `random` in [0, 1). */
export const delayMs = (policy: Retry, n: number, random: number): number | undefined =>
  n > policy.retries ? undefined : backoffMs(policy, n, random)
