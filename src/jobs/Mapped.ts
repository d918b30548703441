/**
 * One job that runs a task over a list. Promises results in the order of the list, one run after the other in one worker,
 * and the task's own encoding, errors and retries; a retry runs the whole list again.
 */
import { Effect, Result } from "effect"
import type { Issue } from "./Engine.ts"
import type { Registration } from "./Registry.ts"
import * as Thread from "./Thread.ts"

/** What the name of such a job begins with; the task's name follows. */
export const mapPrefix = "@map:"

/** The task of a job by its name, mapped ones included. */
export const find = (
  tasks: ReadonlyMap<string, Registration>,
  name: string,
  execute: Thread.Execute = Thread.here
): Registration | undefined => {
  const known = tasks.get(name)
  if (known !== undefined || !name.startsWith(mapPrefix)) return known
  const one = tasks.get(name.slice(mapPrefix.length))
  return one === undefined ? undefined : mapped(one, execute)
}

const collect = (
  all: ReadonlyArray<Result.Result<unknown, ReadonlyArray<Issue>>>,
  path: string
): Result.Result<ReadonlyArray<unknown>, ReadonlyArray<Issue>> => {
  const values: Array<unknown> = []
  const issues: Array<Issue> = []
  all.forEach((r, i) => {
    if (Result.isSuccess(r)) values.push(r.success)
    else for (const f of r.failure) issues.push({ ...f, path: [path, i, f.path].filter((p) => p !== "").join(".") })
  })
  return issues.length === 0 ? Result.succeed(values) : Result.fail(issues)
}

const mapped = (one: Registration, execute: Thread.Execute): Registration => {
  // Such a job is none of the task's own: what is set for the task at run time does not hold for it.
  const { limits: _limits, thread, ...rest } = one
  return {
    ...rest,
    name: mapPrefix + one.name,
    // The limit holds for each run, below; the whole has none.
    timeoutMs: undefined,
    decode: (payload) => {
      const items = (payload as { readonly items?: unknown } | null)?.items
      return Array.isArray(items)
        ? collect(items.map(one.decode), "items")
        : Result.fail([{ path: "items", message: "expected a list" }])
    },
    run: (payloads, job) =>
      Effect.forEach(payloads as ReadonlyArray<unknown>, (payload) => {
        const run =
          thread === undefined
            ? one.run(payload, job)
            : Thread.run(thread, payload, { ...job, task: one.name }, execute)
        return one.timeoutMs === undefined ? run : Effect.timeout(run, one.timeoutMs)
      }),
    encodeResult: (results) =>
      Result.map(collect((results as ReadonlyArray<unknown>).map(one.encodeResult), "results"), (r) => ({ results: r }))
  }
}
