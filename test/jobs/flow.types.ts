/** What the compiler must refuse in the language of flows. Checked by the type check alone; nothing here runs. */
import { Schema } from "effect"
import * as Flow from "../../src/jobs/Flow.ts"
import type { Job, Step } from "../../src/jobs/Job.ts"
import * as Task from "../../src/jobs/Task.ts"

const File = Schema.Struct({ fileId: Schema.String, stored: Schema.Int })
const Read = Task.make("read", { payload: { fileId: Schema.String }, result: File })
const Count = Task.make("count", {
  payload: { fileId: Schema.String, stored: Schema.Int, window: Schema.Literals(["hour", "day"]) },
  result: Schema.Struct({ total: Schema.Int })
})
const Text = Task.make("text", { payload: { stored: Schema.String }, result: Schema.String })
const Add = Task.make("add", {
  payload: { results: Schema.Array(Schema.Struct({ total: Schema.Int })), note: Schema.String },
  result: Schema.Int
})
const Failed = Task.make("failed", {
  payload: { error: Schema.Struct({ _tag: Schema.String }), id: Schema.String, task: Schema.String, to: Schema.String }
})

const read = Read.job({ fileId: "f" })
const count = Flow.step(Count, { window: "hour" })

export const needs: Step<{ readonly fileId: string; readonly stored: number }, { readonly total: number }> = count
export const chain: Job<{ readonly total: number }> = read.andThen(count)
export const amid: Job<number> = read
  .andThen(Flow.all([Flow.step(Count, { window: "hour" }), Flow.step(Count, { window: "day" })]))
  .andThen(Add, { note: "n" })
export const immutable: Job<{ readonly fileId: string; readonly stored: number }> = read.andThen(read)
export const mapped: Job<{ readonly results: ReadonlyArray<{ readonly total: number }> }> = Flow.map(
  Count,
  "fileId",
  ["a", "b"],
  { stored: 1, window: "day" }
)
export const added: Job<number> = mapped.andThen(Add, { note: "n" })
export const parts: Job<{
  readonly results: ReadonlyArray<{ readonly results: ReadonlyArray<{ readonly stored: number }> }>
}> = Flow.chunks(Read, [{ fileId: "a" }], 10)
export const told: Job<{ readonly total: number }> = chain.onError(Failed, { to: "me" })
export const beside: Job<{ readonly fileId: string; readonly stored: number }> = read.onSuccess(Count, {
  window: "day"
})

// @ts-expect-error a step that needs something is no job
export const job: Job<{ readonly total: number }> = count
// @ts-expect-error a group of such steps is no job either
export const group: Job<unknown> = Flow.all([count])
// @ts-expect-error the result before lacks what the step needs
read.andThen(Flow.step(Count, {}))
// @ts-expect-error it has it, of another type
read.andThen(Flow.step(Text, {}))
// @ts-expect-error one member of the group lacks what it needs
read.andThen(Flow.all([count, Flow.step(Text, {})]))
// @ts-expect-error a wrong literal
Flow.step(Count, { window: "week" })
// @ts-expect-error the callback lacks a field that the failure does not give
read.onError(Failed, {})
// @ts-expect-error a value of another type
Flow.map(Count, "fileId", [1], { stored: 1, window: "day" })
// @ts-expect-error the rest of the payload is missing
Flow.map(Count, "fileId", ["a"], { stored: 1 })
