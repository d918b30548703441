/** process_live_logs: its lines reach the stream under a key of the job, wait while it is full, and are refused when too many. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer } from "effect"
import { defaultProject as project } from "../../src/domain/Project.ts"
import { Intake, LogStreamFull } from "../../src/pipeline/Intake.ts"
import { linesMax, ProcessLiveLogs, ProcessLiveLogsLive } from "../../src/tasks/live/process_live_logs.ts"
import { TestEngine } from "../../src/testing.ts"

/** A stream that is full at first, and what was offered to it. */
const intake = (refusals: number) => {
  const offers: Array<{ readonly lines: ReadonlyArray<string>; readonly key: string | undefined }> = []
  let left = refusals
  const layer = Layer.succeed(
    Intake,
    Intake.of({
      submit: (_, lines, options) =>
        Effect.suspend(() => {
          const all = [...lines]
          offers.push({ lines: all, key: options?.key })
          return left-- > 0
            ? Effect.fail(new LogStreamFull({ partition: 0, batches: 1, bytes: 1, retryAfterMs: 1 }))
            : Effect.succeed(all.length)
        }),
      submitEvents: () => Effect.die("not used here")
    })
  )
  return {
    offers,
    layer: ProcessLiveLogsLive.pipe(Layer.provideMerge(Layer.mergeAll(layer, Layer.fresh(TestEngine.layer))))
  }
}

describe("process_live_logs", () => {
  it.effect("offers the same lines under the same key until the stream takes them", () => {
    const { layer, offers } = intake(2)
    return Effect.gen(function* () {
      const id = yield* ProcessLiveLogs.enqueue({ projectId: project, lines: ["a", "b\n\tat c"] })
      const engine = yield* TestEngine
      yield* engine.drain
      yield* engine.advance("10 seconds")
      assert.deepStrictEqual(
        offers,
        Array.from({ length: 3 }, () => ({ lines: ["a", "b\n\tat c"], key: `job.${id}` }))
      )
      yield* ProcessLiveLogs.enqueue({ projectId: project, lines: ["c"], key: "mine" })
      yield* engine.drain
      assert.strictEqual(offers.at(-1)?.key, "live.mine")
    }).pipe(Effect.provide(layer))
  })

  it.effect("refuses more lines than a job may have", () => {
    const { layer } = intake(0)
    return Effect.gen(function* () {
      const lines = Array.from({ length: linesMax + 1 }, () => "x")
      assert.isTrue(Exit.isFailure(yield* Effect.exit(ProcessLiveLogs.enqueue({ projectId: project, lines }))))
    }).pipe(Effect.provide(layer))
  })
})
