/**
 * The door of the test kit: the engine in memory, for tests of code that enqueues and handles jobs. No Redis, no workers, and
 * time is Effect's clock. See docs/engine/testing.md.
 *
 *     it.effect("greets", () =>
 *       Effect.gen(function* () {
 *         const test = yield* TestEngine
 *         yield* signUp("ada@example.org")
 *         test.assertEnqueued(SendMail, { to: "ada@example.org" }, { delay: "10 minutes" })
 *         assert.strictEqual((yield* test.advance("10 minutes")).done, 1)
 *       }).pipe(Effect.provide(handlers.pipe(Layer.provideMerge(Layer.fresh(TestEngine.layer)))))
 *     )
 */
export * as Fate from "./testing/Fate.ts"
export { TestEngine, type TestJob } from "./testing/TestEngine.ts"
export type { Drained } from "./testing/Memory.ts"
export type { Advanced, Slot } from "./testing/VirtualTime.ts"
export type { WantedOptions } from "./testing/Wanted.ts"
