/** Gates by themselves, on real Redis: who is let through when, and what becomes of permits whose holder is gone. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Rate from "../../src/jobs/Rate.ts"
import * as Gates from "../../src/streams/Gates.ts"
import * as JobQueues from "../../src/streams/JobQueues.ts"
import { keysOf } from "../../src/streams/Keys.ts"
import { Redis } from "../../src/streams/Redis.ts"
import * as Settling from "../../src/streams/Settling.ts"
import { eventually, freshNamespace, redisLayer } from "../support/engine.ts"

const namespace = freshNamespace("gates")
const use = <A>(f: (client: Parameters<Parameters<Redis["Service"]["use"]>[1]>[0]) => Promise<A>) =>
  Redis.use((redis) => redis.use("gate", f))
const asker = (id: string, slot?: number, fence = "a") => ({ id, fence, slot })
const many = (n: number, from = 0) => Array.from({ length: n }, (_, i) => asker(`d-${from + i}`))
const ask = (gate: string, limits: Gates.GateLimits, askers: ReadonlyArray<Gates.Asker>, leaseMs = 5_000) =>
  use((c) => Gates.ask(c, Gates.gateKeys(namespace, gate, undefined), limits, leaseMs, askers))
const rate = (text: string): Gates.GateLimits => ({ rate: Rate.parse(text), concurrency: undefined })
const permits = (concurrency: number): Gates.GateLimits => ({ rate: undefined, concurrency })

describe("rates", () => {
  it("are read as users of Celery write them", () => {
    assert.deepStrictEqual(Rate.parse("10/s"), { limit: 10, windowMs: 1_000 })
    assert.deepStrictEqual(Rate.parse("600/m"), { limit: 600, windowMs: 60_000 })
    assert.deepStrictEqual(Rate.parse("100/h"), { limit: 100, windowMs: 3_600_000 })
    assert.deepStrictEqual(Rate.parse(3), { limit: 3, windowMs: 1_000 })
    assert.deepStrictEqual(Rate.parse("0.5/s"), { limit: 1, windowMs: 2_000 })
    assert.deepStrictEqual(Rate.parse(2.5), { limit: 2, windowMs: 800 })
    for (const wrong of ["", "x", "10/d", "10/s/s", "-1/s", "0", "1e999/s"])
      assert.isUndefined(Rate.parse(wrong), wrong)
    assert.throws(() => Rate.make("10/d" as never), /expected a rate like "10\/s".*got "10\/d"/u)
  })

  it.live("let one go and give each of the others a slot of its own, further and further away", () =>
    Effect.gen(function* () {
      const { answers } = yield* ask("slots", rate("10/s"), many(64))
      assert.strictEqual(answers[0]?._tag, "go")
      const slots = answers.flatMap((a) => (a._tag === "slot" ? [a.at] : []))
      assert.strictEqual(slots.length, 63)
      slots.slice(1).forEach((at, i) => assert.closeTo(at - (slots[i] ?? 0), 102, 0.1))
      // A fresh one stands behind them all, one that comes at its moment does not.
      const late = yield* ask("slots", rate("10/s"), [asker("d-late")])
      assert.isTrue(late.answers[0]?._tag === "slot" && late.answers[0].at > (slots.at(-1) ?? 0))
      const first = slots[0] ?? 0
      yield* eventually(
        "its moment",
        use(async (c) => {
          const [s, us] = (await c.time()) as unknown as [string, string]
          return Number(s) * 1_000 + Number(us) / 1_000 > first - 20
        })
      )
      const back = yield* ask("slots", rate("10/s"), [asker("d-1", first)])
      assert.strictEqual(back.answers[0]?._tag, "go")
    }).pipe(Effect.provide(redisLayer(namespace)))
  )

  it.live("give moments that came back to those that ask next, the soonest first, once", () =>
    Effect.gen(function* () {
      const keys = Gates.gateKeys(namespace, "back", undefined)
      const { answers } = yield* ask("back", rate("1/m"), many(6))
      const slots = answers.flatMap((a) => (a._tag === "slot" ? [Math.ceil(a.at)] : []))
      const [first = 0, second = 0] = slots
      yield* use((c) => Gates.giveBack(c, [keys.state, String(second), keys.state, String(first)]))
      // One that is past is nobody's.
      yield* use((c) => Gates.giveBack(c, [keys.state, String(first - 120_000)]))
      const next = yield* ask("back", rate("1/m"), many(3, 10))
      const given = next.answers.flatMap((a) => (a._tag === "slot" ? [a.at] : []))
      assert.deepStrictEqual(given.slice(0, 2), [first, second])
      assert.isAbove(given[2] ?? 0, slots.at(-1) ?? 0)
    }).pipe(Effect.provide(redisLayer(namespace)))
  )

  it.live("forget slots given out under another limit", () =>
    Effect.gen(function* () {
      yield* ask("other", rate("1/h"), many(10))
      const { answers } = yield* ask("other", rate("100/s"), many(1, 20))
      assert.isTrue(
        answers[0]?._tag === "go" || (answers[0]?._tag === "slot" && answers[0].ms < 100),
        JSON.stringify(answers)
      )
    }).pipe(Effect.provide(redisLayer(namespace)))
  )
})

describe("permits", () => {
  it.live("are never more than the limit, and go to whoever waited first", () =>
    Effect.gen(function* () {
      const keys = Gates.gateKeys(namespace, "line", undefined)
      const { answers } = yield* ask("line", permits(2), many(5))
      assert.deepStrictEqual(
        answers.map((a) => a._tag),
        ["go", "go", "wait", "wait", "wait"]
      )
      // Another run of a job has no say over its permit.
      assert.deepStrictEqual((yield* use((c) => Gates.free(c, keys, 2, [["d-0", "b"]]))).wake, [])
      const freed = yield* use((c) => Gates.free(c, keys, 2, [["d-0", "a"]]))
      assert.deepStrictEqual(freed, { wake: ["d-2"], waiting: 2 })
      // What is free is kept for the one that was woken, not for a fresh one.
      assert.strictEqual((yield* ask("line", permits(2), [asker("d-9")])).answers[0]?._tag, "wait")
      assert.strictEqual((yield* ask("line", permits(2), [asker("d-2")])).answers[0]?._tag, "go")
      // One that no longer waits hands on what was kept for it.
      assert.deepStrictEqual((yield* use((c) => Gates.free(c, keys, 2, [["d-1", "a"]]))).wake, ["d-3"])
      assert.deepStrictEqual((yield* use((c) => Gates.free(c, keys, 2, [["d-3", ""]]))).wake, ["d-4"])
    }).pipe(Effect.provide(redisLayer(namespace)))
  )

  it.live("come back by their lease unless they are renewed, and pass to the next run of their job at once", () =>
    Effect.gen(function* () {
      const keys = Gates.gateKeys(namespace, "lease", undefined)
      yield* ask("lease", permits(1), [asker("d-0")], 100)
      assert.strictEqual((yield* ask("lease", permits(1), [asker("d-0", undefined, "b")], 100)).answers[0]?._tag, "go")
      assert.strictEqual(yield* use((c) => Gates.renew(c, keys, 200, [["d-0", "a"]])), 0)
      assert.strictEqual(yield* use((c) => Gates.renew(c, keys, 200, [["d-0", "b"]])), 1)
      assert.strictEqual((yield* ask("lease", permits(1), [asker("d-1")], 100)).answers[0]?._tag, "wait")
      const woken = yield* eventually(
        "the permit is free again",
        Effect.map(
          use((c) => Gates.free(c, keys, 1, [])),
          ({ wake }) => wake.length > 0 && wake
        )
      )
      assert.deepStrictEqual(woken, ["d-1"])
    }).pipe(Effect.provide(redisLayer(namespace)))
  )

  it.live("reach one that was told to wait and is still on its way to the delayed ones", () =>
    Effect.gen(function* () {
      const all = keysOf(namespace)
      const k = all.queue("default")
      const keys = Gates.gateKeys(namespace, "way", undefined)
      yield* use(async (c) => {
        await JobQueues.ensureGroup(c, k)
        const job = { task: "t", payload: "{}", meta: "", delayMs: undefined, check: "" }
        await JobQueues.add(
          c,
          k,
          all.control,
          100,
          ["d-a", "d-b"].map((id) => ({ ...job, id: id as never }))
        )
      })
      const [first, second] = yield* use((c) => JobQueues.read(c, k, "w", 2, 0))
      assert.strictEqual(second?.id, "d-b")
      const answers = (yield* ask("way", permits(1), [asker("d-a"), asker("d-b")])).answers
      assert.deepStrictEqual(
        answers.map((a) => a._tag),
        ["go", "wait"]
      )
      // The permit comes back before its worker has put the other aside.
      const { wake } = yield* use((c) => Gates.free(c, keys, 1, [["d-a", "a"]]))
      assert.deepStrictEqual(wake, ["d-b"])
      assert.deepStrictEqual(yield* use((c) => Gates.hasten(c, namespace, ["d-b", "d-c"])), ["d-c"])
      const claim = (job: JobQueues.Claimed | undefined) => ({ entry: job?.entry ?? "", count: 1 })
      const later = (id: string, run: string) =>
        ({
          kind: "S",
          claim: claim(second),
          id,
          task: "t",
          run,
          body: "",
          ms: 600_000,
          meta: "{}",
          link: "",
          unique: ""
        }) as const
      yield* use((c) => Settling.settle(c, k, all.control, "w", [later("d-b", "0:1::")]))
      const [due, now] = yield* use(async (c) => [Number(await c.zscore(k.delayed, "d-b")), Date.now()] as const)
      assert.isAtMost(due, now + 1_000)
      assert.strictEqual((yield* ask("way", permits(1), [asker("d-b")])).answers[0]?._tag, "go")
      // One that ended meanwhile is not waited for.
      const end = {
        kind: "D",
        claim: claim(first),
        id: "d-a",
        task: "t",
        run: "1:1:1:1",
        body: "1",
        ms: 9_000
      } as const
      yield* use((c) => Settling.settle(c, k, all.control, "w", [{ ...end, meta: "", link: "", unique: "" }]))
      assert.deepStrictEqual(yield* use((c) => Gates.hasten(c, namespace, ["d-a"])), ["d-a"])
    }).pipe(Effect.provide(redisLayer(namespace)))
  )
})
