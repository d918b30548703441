/** The examples of docs/engine/testing.md, run. Every block of code there stands here word for word. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Layer, Schema } from "effect"
import { readFileSync } from "node:fs"
import * as Retry from "../../src/jobs/Retry.ts"
import * as Task from "../../src/jobs/Task.ts"
import * as Beat from "../../src/schedules/Beat.ts"
import { Fate, TestEngine } from "../../src/testing.ts"

class MailboxFull extends Schema.TaggedError<MailboxFull>()("MailboxFull", { to: Schema.String }) {}

const SendMail = Task.make("send_mail", {
  payload: { to: Schema.String, at: Schema.DateFromString },
  result: Schema.Struct({ letters: Schema.Int }),
  error: MailboxFull,
  retry: Retry.fixed({ attempts: 3, delay: "1 minute" })
})

class Outbox extends Context.Service<Outbox, { readonly sent: Array<string> }>()("Outbox") {
  static readonly layer = Layer.sync(Outbox, () => ({ sent: [] }))
}

const SendMailLive = SendMail.toLayer(
  Effect.map(
    Outbox,
    ({ sent }) =>
      ({ to }: { readonly to: string }) =>
        to === "" ? Effect.fail(new MailboxFull({ to })) : Effect.sync(() => ({ letters: sent.push(to) }))
  )
)

const kit = SendMailLive.pipe(Layer.provideMerge(Outbox.layer), Layer.provideMerge(Layer.fresh(TestEngine.layer)))

/** The code under test. */
const signUp = (to: string) => SendMail.enqueue({ to, at: new Date(0) }, { delay: "10 minutes", key: to })

describe("the examples", () => {
  it.effect("welcomes who signs up", () =>
    Effect.gen(function* () {
      const test = yield* TestEngine
      yield* signUp("ada@example.org")

      test.assertEnqueued(SendMail, { to: "ada@example.org" }, { delay: "10 minutes", count: 1 })
      test.refuteEnqueued(SendMail, { to: "bob@example.org" })
      assert.deepStrictEqual(test.enqueued(SendMail)[0]?.at, new Date(0))

      assert.strictEqual((yield* test.advance("10 minutes")).done, 1)
      assert.deepStrictEqual((yield* Outbox).sent, ["ada@example.org"])
    }).pipe(Effect.provide(kit))
  )

  it.effect("runs a handler", () =>
    Effect.gen(function* () {
      const test = yield* TestEngine
      const { letters } = yield* test.run(SendMail, { to: "ada@example.org", at: new Date(0) })
      assert.strictEqual(letters, 1)
      const error = yield* Effect.flip(test.run(SendMail, { to: "", at: new Date(0) }))
      assert.instanceOf(error, MailboxFull)
    }).pipe(Effect.provide(kit))
  )

  it.effect("tries again in an hour's time", () =>
    Effect.gen(function* () {
      const test = yield* TestEngine
      yield* test.fate(SendMail, [Fate.fail(new MailboxFull({ to: "ada" })), Fate.lost])
      yield* SendMail.enqueue({ to: "ada", at: new Date(0) })

      const hour = yield* test.advance("1 hour")
      assert.deepStrictEqual({ ...hour, slots: [] }, { done: 1, failed: 0, retried: 1, slots: [] })
      // The second run did its work and was lost: the handler is not idempotent.
      assert.deepStrictEqual((yield* Outbox).sent, ["ada", "ada"])
    }).pipe(Effect.provide(kit))
  )

  it.effect("greets every morning", () =>
    Effect.gen(function* () {
      const test = yield* TestEngine
      const greet = SendMail.job({ to: "all", at: new Date(0) })
      yield* test.beat([Beat.cron("0 7 * * *", "greet", greet, { timeZone: "Europe/Berlin" })])
      const week = yield* test.advance("7 days")
      assert.strictEqual(week.slots.length, 7)
      assert.strictEqual(new Date(week.slots[0]?.at ?? 0).toISOString(), "1970-01-01T06:00:00.000Z")
      assert.strictEqual(week.done, 7)
    }).pipe(Effect.provide(kit))
  )

  it("stand in the documentation", () => {
    const squeezed = (text: string) => text.replaceAll(/\s+/gu, " ").trim()
    const own = squeezed(readFileSync(new URL(import.meta.url), "utf8"))
    const page = readFileSync(new URL("../../docs/engine/testing.md", import.meta.url), "utf8")
    const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/gu)].map((match) => match[1] ?? "")
    assert.isAtLeast(blocks.length, 5)
    for (const block of blocks) {
      // Imports go by the package's name there.
      const code = squeezed(block.replaceAll(/^import .*$/gmu, ""))
      assert.isTrue(own.includes(code), `expected this block of docs/engine/testing.md in the test: ${block}`)
    }
  })
})

const Nap = Task.make("nap", { payload: { ms: Schema.Int }, timeout: "10 seconds", retry: Retry.none })
const Tick = Task.make("tick", { payload: {}, retry: Retry.none })
const naps = Layer.mergeAll(
  Nap.toLayer(Effect.succeed(({ ms }) => Effect.sleep(ms))),
  Tick.toLayer(Effect.succeed(() => Effect.sleep("90 seconds")))
)
const napping = naps.pipe(Layer.provideMerge(Layer.fresh(TestEngine.layer)))
const stateOf = (test: TestEngine["Service"], id: string) => test.jobs().find((job) => job.id === id)?.state

describe("what is said where it is not so", () => {
  it.effect("tells what is enqueued", () =>
    Effect.gen(function* () {
      const test = yield* TestEngine
      const message = (act: () => void) => {
        try {
          act()
        } catch (error) {
          return (error as Error).message
        }
        return "nothing"
      }
      assert.strictEqual(
        message(() => test.assertEnqueued(Nap)),
        "expected a job of nap, got none; nothing is enqueued"
      )
      yield* Tick.enqueue({})
      assert.strictEqual(
        message(() => test.assertEnqueued(Nap, { ms: 1 }, { queue: "default" })),
        'expected a job of nap with {"ms":1} in queue default, got none; only these are enqueued: tick'
      )
      const id = yield* Nap.enqueue({ ms: 2 }, { delay: "1 minute", key: "ada" })
      assert.strictEqual(
        message(() => test.assertEnqueued(Nap, { ms: 1 }, { count: 2, delay: "1 second" })),
        `expected 2 jobs of nap with {"ms":1} delayed by 1000 ms, got none; enqueued are:\n  ${id} {"ms":2} (scheduled, delayed by 60000 ms, queue default, for ada)`
      )
      assert.match(
        message(() => test.refuteEnqueued(Nap)),
        /^expected no job of nap, got 1; enqueued are:/u
      )
      test.assertEnqueued(Nap, {}, { key: "ada", count: 1 })
    }).pipe(Effect.provide(napping))
  )
})

describe("fates", () => {
  it.effect("hang: the time limit ends it", () =>
    Effect.gen(function* () {
      const test = yield* TestEngine
      yield* test.fate(Nap, [Fate.hang])
      const id = yield* Nap.enqueue({ ms: 1 })
      yield* test.advance("9 seconds")
      assert.strictEqual(stateOf(test, id), "running")
      yield* test.advance("1 second")
      assert.strictEqual(test.jobs()[0]?.error?._tag, "TimedOut")
    }).pipe(Effect.provide(napping))
  )

  it.effect("hang: what follows a time limit comes at its own time, in one advance", () =>
    Effect.gen(function* () {
      const test = yield* TestEngine
      const at: Array<number> = []
      const Timed = Task.make("timed", { payload: {}, retry: Retry.fixed({ attempts: 3, delay: "1 minute" }) })
      const start = yield* Clock.currentTimeMillis
      yield* Layer.build(
        Timed.toLayer(
          Effect.succeed(() => Effect.map(Clock.currentTimeMillis, (now) => void at.push((now - start) / 1_000)))
        )
      )
      yield* test.fate(Timed, [Fate.hang, Fate.die("a bug"), Fate.hang])
      yield* Timed.enqueue({}, { timeout: "10 seconds" })
      const hour = yield* test.advance("1 hour")
      assert.deepStrictEqual({ ...hour, slots: [] }, { done: 1, failed: 0, retried: 3, slots: [] })
      // 10 s, a minute, a bug, a minute, 10 s, a minute.
      assert.deepStrictEqual(at, [200])
    }).pipe(Effect.scoped, Effect.provide(napping))
  )

  it.effect("crash: it starts again after its lease, and is set apart when it goes on", () =>
    Effect.gen(function* () {
      const test = yield* TestEngine
      yield* test.fate(Nap, [Fate.crash, Fate.pass, Fate.crash, Fate.crash, Fate.crash])
      const once = yield* Nap.enqueue({ ms: 0 })
      yield* test.drain
      assert.strictEqual(stateOf(test, once), "queued")
      yield* test.advance("5 seconds")
      assert.strictEqual(stateOf(test, once), "done")
      yield* Nap.enqueue({ ms: 0 })
      yield* test.advance("1 minute")
      assert.strictEqual(test.jobs()[1]?.error?._tag, "WorkerLost")
    }).pipe(Effect.provide(napping))
  )

  it.effect("delay and die", () =>
    Effect.gen(function* () {
      const test = yield* TestEngine
      yield* test.fate(Nap, [Fate.delay("5 seconds"), Fate.die(new Error("a bug"))])
      const slow = yield* Nap.enqueue({ ms: 1_000 })
      const dead = yield* Nap.enqueue({ ms: 0 })
      yield* test.advance("5 seconds")
      assert.deepStrictEqual([stateOf(test, slow), stateOf(test, dead)], ["running", "dead"])
      yield* test.advance("1 second")
      assert.strictEqual(stateOf(test, slow), "done")
    }).pipe(Effect.provide(napping))
  )
})

describe("virtual time", () => {
  it.effect("lets what runs overlap, and cancels it", () =>
    Effect.gen(function* () {
      const test = yield* TestEngine
      const ids = [yield* Nap.enqueue({ ms: 4_000 }), yield* Nap.enqueue({ ms: 2_000 })]
      const late = yield* Nap.enqueue({ ms: 8_000 })
      yield* test.advance("2 seconds")
      assert.deepStrictEqual(
        ids.map((id) => stateOf(test, id)),
        ["running", "done"]
      )
      yield* test.cancel(late)
      yield* test.advance("10 seconds")
      assert.deepStrictEqual(
        [...ids, late].map((id) => stateOf(test, id)),
        ["done", "done", "cancelled"]
      )
    }).pipe(Effect.provide(napping))
  )

  for (const [overlap, started] of [
    ["allow", 5],
    ["skip", 3],
    // Jobs of 90 s: the slot of minute 2 waits half a minute, that of 3 a whole one, and with it that of 4 is one too many.
    ["bufferOne", 3],
    ["cancelOther", 5]
  ] as const) {
    it.effect(`schedules keep their overlap policy: ${overlap}`, () =>
      Effect.gen(function* () {
        const test = yield* TestEngine
        yield* test.beat([Beat.every("1 minute", "tick", Tick.job({}), { overlap })])
        const { slots } = yield* test.advance("5 minutes")
        assert.deepStrictEqual(
          slots.map((slot) => slot.at),
          // The last is still waiting where one is kept.
          (overlap === "bufferOne" ? [1, 2, 3, 4] : [1, 2, 3, 4, 5]).map((minute) => minute * 60_000)
        )
        assert.lengthOf(
          slots.filter((slot) => slot.id !== undefined),
          started
        )
        const cancelled = test.jobs().filter((job) => job.state === "cancelled").length
        assert.strictEqual(cancelled, overlap === "cancelOther" ? 4 : 0)
      }).pipe(Effect.provide(napping))
    )
  }
})
