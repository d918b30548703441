/**
 * What befalls a run of a task in a test, without touching its handler: failures, crashes, delays. Promises plain data; the
 * memory acts it out.
 */
import { Duration } from "effect"

export type Fate =
  | { readonly _tag: "Pass" }
  | { readonly _tag: "Fail"; readonly error: unknown }
  | { readonly _tag: "Die"; readonly defect: unknown }
  | { readonly _tag: "Crash" }
  | { readonly _tag: "Lost" }
  | { readonly _tag: "Hang" }
  | { readonly _tag: "Delay"; readonly ms: number }

/** The handler runs as always. */
export const pass: Fate = { _tag: "Pass" }

/** The run fails with this error, and the handler does nothing: what retries are for. */
export const fail = (error: unknown): Fate => ({ _tag: "Fail", error })

/** The run dies of a bug. */
export const die = (defect: unknown): Fate => ({ _tag: "Die", defect })

/** The worker dies before the handler does anything: the job starts again after its lease (5 s), and this was an attempt. */
export const crash: Fate = { _tag: "Crash" }

/**
 * The handler does all of its work, then its worker dies before it could tell: the job starts again after its lease. A
 * handler that stands this is idempotent.
 */
export const lost: Fate = { _tag: "Lost" }

/** The run never ends by itself: what time limits and revokes are for. */
export const hang: Fate = { _tag: "Hang" }

/** The handler begins so much later. */
export const delay = (duration: Duration.Input): Fate => ({
  _tag: "Delay",
  ms: Duration.toMillis(Duration.fromInputUnsafe(duration))
})
