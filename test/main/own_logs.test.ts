import { Cause, Effect, Logger } from "effect"
import { describe, expect, it } from "vitest"
import { linesOf } from "../../src/main/JobLog.ts"
import { lineOf } from "../../src/pipeline/OwnLogs.ts"
import type { JobRow } from "../../src/streams/Events.ts"

describe("own logs", () => {
  it("are lines of JSON with level, message, annotations and causes", () => {
    const lines: Array<string> = []
    const logger = Logger.make<unknown, void>((options) => void lines.push(lineOf(options)))
    Effect.runSync(
      Effect.logWarning("not stored", { batch: "b1" }, Cause.fail(new Error("down"))).pipe(
        Effect.annotateLogs({ partition: 3 }),
        Effect.provide(Logger.layer([logger]))
      )
    )
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "warn",
      service: "loglytics",
      message: "not stored",
      batch: "b1",
      partition: 3,
      error: expect.stringContaining("down")
    })
  })
})

const row = (n: number, state: JobRow["state"], error: string | null = null): JobRow => ({
  id: `d-${n}`,
  task: n % 2 === 0 ? "even" : "odd",
  queue: "default",
  state,
  attempt: 1,
  enqueuedAt: 1_000,
  startedAt: 2_000,
  finishedAt: 2_005,
  durationMs: 5,
  error
})

describe("the job log", () => {
  it("tells what ended, and nothing else", () => {
    const lines = linesOf([row(1, "running"), row(2, "done"), row(3, "dead", "no such file")])
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: "info", message: "even done in 5 ms", job_id: "d-2" },
      { level: "error", message: "odd dead in 5 ms: no such file" }
    ])
  })

  it("tells a burst in summary, and names what failed", () => {
    const rows = Array.from({ length: 500 }, (_, n) => row(n, n === 7 ? "dead" : "done", n === 7 ? "bad" : null))
    const lines = linesOf(rows).map((line) => (JSON.parse(line) as { message: string }).message)
    expect(lines).toEqual(["odd dead in 5 ms: bad", "250 jobs of even ended", "250 jobs of odd ended"])
  })
})
