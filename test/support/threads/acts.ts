/** A task whose handler, in a thread, acts out a fate by name. */
import { Schema } from "effect"
import * as Retry from "../../../src/jobs/Retry.ts"
import * as Task from "../../../src/jobs/Task.ts"

export class Declared extends Schema.TaggedError<Declared>()("Declared", { code: Schema.Int }) {}

export const Acts = Task.make("acts", {
  payload: {
    act: Schema.Literals(["thread", "burn", "forever", "fail", "declared", "exit", "eat", "leak", "progress"]),
    ms: Schema.optionalKey(Schema.Int),
    at: Schema.optionalKey(Schema.Date)
  },
  result: Schema.Struct({ thread: Schema.Int, runs: Schema.Int, at: Schema.NullOr(Schema.Date) }),
  error: Declared,
  retry: Retry.exponential({ attempts: 5, base: "5 millis", cap: "5 millis" })
})

/** The same with a time limit, and never tried again. */
export const Brief = Task.make("brief", {
  payload: Acts.payload.fields,
  timeout: "300 millis",
  retry: Retry.none
})

export const module = new URL("./acts.thread.ts", import.meta.url)
