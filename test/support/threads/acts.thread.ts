/** The handler of `Acts`. */
import { threadId } from "node:worker_threads"
import type { ThreadHandler } from "../../../src/jobs/ThreadHandler.ts"
import type { Acts } from "./acts.ts"

let runs = 0
const leaked: Array<Array<number>> = []

const burn = (ms: number): void => {
  const until = Date.now() + ms
  let n = 0
  while (Date.now() < until) n = Math.imul(n + 1, 2_654_435_761)
}

const acts: ThreadHandler<typeof Acts> = async ({ act, at, ms = 0 }, job) => {
  runs++
  switch (act) {
    case "thread":
      break
    case "burn":
      burn(ms)
      break
    case "forever":
      burn(Number.POSITIVE_INFINITY)
      break
    case "fail":
      throw new RangeError("it is out of range")
    case "declared":
      throw Object.assign(new Error("told"), { _tag: "Declared", code: 7 })
    case "exit":
      process.exit(3)
      break
    case "eat":
      while (true) leaked.push(Array.from({ length: 100_000 }, (_, i) => i * 1.5))
    case "leak":
      leaked.push(Array.from({ length: ms }, (_, i) => i * 1.5))
      break
    case "progress":
      job.progress({ half: true })
      burn(ms)
      break
  }
  return { thread: threadId, runs, at: at === undefined ? null : at }
}

export default acts
