/**
 * The life of an alert as a pure step: inactive → pending (while `for` runs) → firing → resolved, each change with a named
 * reason. Knows nothing of what is measured.
 */
import type { AlertState } from "../domain/Alert.ts"

/** Where an alert of a rule stands; plain JSON. Times in epoch ms. */
export type Life =
  | { readonly state: "inactive" }
  | { readonly state: "pending"; readonly startedAt: number; readonly cause: string }
  | {
      readonly state: "firing"
      readonly startedAt: number
      readonly cause: string
      readonly firedAt: number
      /** Since when the condition no longer holds, while `keepFiringFor` runs. */
      readonly quietSince?: number
    }

export const inactive: Life = { state: "inactive" }

export type Reason =
  /** The condition began to hold; it must go on for `for`. */
  | "condition_met"
  /** The condition began to hold and nothing more is asked. */
  | "condition_met_at_once"
  | "held_long_enough"
  /** The condition ended before `for` had passed. */
  | "ended_too_soon"
  | "condition_over"

export interface Transition {
  readonly from: AlertState
  readonly to: AlertState
  readonly reason: Reason
  readonly startedAt: number
  /** What began the alert: a batch's id. */
  readonly cause: string
  readonly firedAt: number | null
  readonly resolvedAt: number | null
}

export interface Step {
  readonly life: Life
  readonly transition?: Transition
}

/** The moment at which time alone moves the alert on, if nothing else happens. */
export const dueAt = (life: Life, forMs: number, keepMs = 0): number | undefined => {
  if (life.state === "pending") return life.startedAt + forMs
  return life.state === "firing" && life.quietSince !== undefined ? life.quietSince + keepMs : undefined
}

/** What a measurement at `at` makes of an alert; `cause` names what brought it. */
export const step = (
  life: Life,
  measured: { readonly met: boolean },
  at: number,
  rule: { readonly forMs: number; readonly keepMs?: number },
  cause: string
): Step => {
  switch (life.state) {
    case "inactive": {
      if (!measured.met) return { life }
      const began = { startedAt: at, cause }
      if (rule.forMs === 0) {
        return {
          life: { state: "firing", ...began, firedAt: at },
          transition: {
            from: "inactive",
            to: "firing",
            reason: "condition_met_at_once",
            ...began,
            firedAt: at,
            resolvedAt: null
          }
        }
      }
      return {
        life: { state: "pending", ...began },
        transition: {
          from: "inactive",
          to: "pending",
          reason: "condition_met",
          ...began,
          firedAt: null,
          resolvedAt: null
        }
      }
    }
    case "pending": {
      const { cause: first, startedAt } = life
      const began = { startedAt, cause: first }
      if (!measured.met) {
        return {
          life: inactive,
          transition: {
            from: "pending",
            to: "inactive",
            reason: "ended_too_soon",
            ...began,
            firedAt: null,
            resolvedAt: at
          }
        }
      }
      if (at - startedAt < rule.forMs) return { life }
      return {
        life: { state: "firing", ...began, firedAt: at },
        transition: {
          from: "pending",
          to: "firing",
          reason: "held_long_enough",
          ...began,
          firedAt: at,
          resolvedAt: null
        }
      }
    }
    case "firing": {
      const { cause: first, firedAt, quietSince, startedAt } = life
      const began = { startedAt, cause: first, firedAt }
      if (measured.met) return { life: quietSince === undefined ? life : { state: "firing", ...began } }
      const quiet = quietSince ?? at
      if (at - quiet < (rule.keepMs ?? 0)) {
        return { life: quietSince === undefined ? { state: "firing", ...began, quietSince: quiet } : life }
      }
      return {
        life: inactive,
        transition: {
          from: "firing",
          to: "resolved",
          reason: "condition_over",
          ...began,
          resolvedAt: at
        }
      }
    }
  }
}
