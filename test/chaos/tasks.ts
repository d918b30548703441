/** The tasks of a chaos run, as caller and worker share them. A payload says how its run is to go; results can be foretold. */
import { Schema } from "effect"
import * as Retry from "../../src/jobs/Retry.ts"
import * as Task from "../../src/jobs/Task.ts"

/** What every handler is told: its number, how long it takes, and how often it fails or snoozes before it is done. */
const script = { n: Schema.Int, ms: Schema.Int, times: Schema.Int }
export type Script = { readonly n: number; readonly ms: number; readonly times: number }
const result = Schema.Struct({ sum: Schema.Int })

export class Hiccup extends Schema.TaggedError<Hiccup>()("Hiccup", { n: Schema.Int }) {}
export class Hopeless extends Schema.TaggedError<Hopeless>()("Hopeless", { n: Schema.Int }) {
  readonly retryable = false
}

/** More than any job is told to fail; waits short enough for a test. */
const patient = Retry.exponential({ attempts: 20, base: "20 millis", cap: "200 millis" })

export const Plain = Task.make("plain", { payload: script, result })
export const Urgent = Task.make("urgent", { payload: script, result, queue: "high-priority" })
export const Lazy = Task.make("lazy", { payload: script, result, queue: "low-priority" })
export const Shaky = Task.make("shaky", { payload: script, result, error: Hiccup, retry: patient })
export const Doze = Task.make("doze", { payload: script, result })
export const Once = Task.make("once", { payload: script, result, unique: ({ n }) => String(n % 7) })
/** Fails for good after two retries. */
export const Doomed = Task.make("doomed", {
  payload: script,
  result,
  error: Hiccup,
  retry: Retry.exponential({ attempts: 2, base: "20 millis" })
})
/** Fails for good at once. */
export const Refused = Task.make("refused", { payload: script, result, error: Hopeless, retry: patient })
/** The joint of a chain, in another queue than what comes before it. */
export const Double = Task.make("double", { payload: { sum: Schema.Int }, result, queue: "high-priority" })
/** The end of a chord. */
export const Total = Task.make("total", { payload: { results: Schema.Array(result) }, result, queue: "low-priority" })

/** What a job of number `n` gives. */
export const sumOf = (n: number): number => 2 * n + 1
