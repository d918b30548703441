/** What the compiler must refuse in the language of tasks. Checked by the type check alone; nothing here runs. */
// @effect-diagnostics missingEffectError:off -- that it is refused is what stands here
import { type Effect, Effect as Fx, Schema } from "effect"
import type { AwaitError, Engine, EnqueueError } from "../../src/jobs/Engine.ts"
import * as Flow from "../../src/jobs/Flow.ts"
import type { Job } from "../../src/jobs/Job.ts"
import * as Task from "../../src/jobs/Task.ts"

class Declared extends Schema.TaggedError<Declared>()("Declared", {}) {}
class Boom extends Schema.TaggedError<Boom>()("Boom", {}) {}

const First = Task.make("first", {
  payload: { projectId: Schema.String, fileId: Schema.String },
  result: Schema.Struct({ projectId: Schema.String, stored: Schema.Int }),
  error: Declared
})
const Second = Task.make("second", {
  payload: { projectId: Schema.String, window: Schema.Literals(["hour", "day"]) },
  result: Schema.String
})
const Plain = Task.make("plain", { payload: { a: Schema.Int } })
const Last = Task.make("last", {
  payload: {
    results: Schema.Array(Schema.Struct({ projectId: Schema.String, stored: Schema.Int })),
    note: Schema.String
  }
})

export const run: Effect.Effect<
  { readonly projectId: string; readonly stored: number },
  Declared | EnqueueError | AwaitError,
  Engine
> = First.run({ projectId: "p", fileId: "f" })

export const chain: Job<string> = First.job({ projectId: "p", fileId: "f" }).andThen(Second, { window: "hour" })
export const chord: Job<void> = Flow.all([First.job({ projectId: "p", fileId: "f" })]).andThen(Last, { note: "n" })
export const words = Plain.toLayer(Fx.succeed(({ a }) => (a > 3 ? Task.snooze("5 minutes") : Task.cancel("gone"))))

// @ts-expect-error a payload field is missing
First.job({ projectId: "p" })
// @ts-expect-error the chain lacks a field that the first result does not give
First.job({ projectId: "p", fileId: "f" }).andThen(Second, {})
// @ts-expect-error a wrong literal
First.job({ projectId: "p", fileId: "f" }).andThen(Second, { window: "week" })
// @ts-expect-error an undeclared error
Plain.toLayer(Fx.succeed(() => Fx.fail(new Boom())))
