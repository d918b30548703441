/** Kafka ingress against librdkafka's mock cluster, with kcat as the producer: each line once over crashes and redeliveries. */
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import type { SentEvent } from "../../../src/domain/SentEvent.ts"
import type { Sink } from "../../../src/ingest/sources/Gather.ts"
import { consume, rangeOf } from "../../../src/ingest/sources/kafka.ts"
import { eventually } from "../../support/eventually.ts"
import { type Broker, kcat, startBroker } from "../../support/kafka.ts"

const program = await kcat()
if (!program.ok) process.stderr.write(`  – no kcat (${program.why}): the tests with a broker are skipped\n`)

const wait = 90_000

/** What a stream that remembers keys holds. */
const stream = () => {
  const taken = new Map<string, ReadonlyArray<SentEvent>>()
  let refuse = false
  let offers = 0
  let amid: (() => Effect.Effect<void>) | undefined
  const sink: Sink = (events, key) =>
    Effect.gen(function* () {
      offers++
      if (refuse) return yield* Effect.fail({ message: "full" })
      const known = taken.get(key)
      // Another cut of the same lines under one key would be another batch for the stream.
      const id = known === undefined || JSON.stringify(known) === JSON.stringify(events) ? key : `${key}!`
      taken.set(id, events)
      if (amid !== undefined) yield* amid()
    })
  return {
    sink,
    taken,
    offers: () => offers,
    lines: () => [...taken.values()].flat().map(({ line }) => line ?? ""),
    refuse: (now: boolean) => void (refuse = now),
    amid: (f: (() => Effect.Effect<void>) | undefined) => void (amid = f)
  }
}

describe("ranges", () => {
  const messages = Array.from({ length: 12_000 }, (_, i) => ({ offset: String(i), value: Buffer.from("x") }))
  it("end at the limits and at an earlier attempt's end", () => {
    expect(rangeOf(messages, 0, undefined)).toBe(5_000)
    expect(rangeOf(messages, 10_000, undefined)).toBe(12_000)
    expect(rangeOf(messages, 0, 41n)).toBe(42)
    const value = Buffer.alloc(1_024 * 1_024)
    const wide = messages.map((message) => ({ ...message, value })).slice(0, 9)
    expect(rangeOf(wide, 0, undefined)).toBe(4)
  })
})

describe.skipIf(!program.ok)("kafka", () => {
  let broker: Broker
  beforeAll(async () => {
    if (program.ok) broker = await startBroker(program)
  }, wait)
  afterAll(() => broker?.stop())

  const consumer = (topic: string, sink: Sink) =>
    Effect.runFork(consume({ brokers: [broker.address], topics: [topic], group: `g-${topic}`, sink, sessionMs: 6_000 }))
  const numbered = (from: number, to: number): ReadonlyArray<string> =>
    Array.from({ length: to - from }, (_, i) => `line ${from + i}`)
  const stop = (fiber: Fiber.Fiber<unknown, unknown>) => Effect.runPromise(Fiber.interrupt(fiber))

  it(
    "reads values with key, headers, partition and time",
    async () => {
      await broker.produce("facts", 2, ["k|hello"], ["-K", "|", "-H", "team=blue"])
      const kept = stream()
      const fiber = consumer("facts", kept.sink)
      await eventually("the message", () => kept.taken.size > 0 || undefined, wait)
      const [event] = [...kept.taken.values()].flat()
      expect(event).toMatchObject({
        line: "hello",
        attributes: {
          "messaging.destination.name": "facts",
          "messaging.destination.partition.id": "2",
          "messaging.kafka.offset": 0,
          "messaging.kafka.message.key": "k",
          "messaging.kafka.header.team": "blue"
        }
      })
      expect(event?.seenAt).toBeGreaterThan(1_700_000_000_000)
      await stop(fiber)
    },
    wait
  )

  it(
    "waits while the stream takes nothing, and commits only what it took",
    async () => {
      await broker.produce("full", 0, numbered(0, 300))
      const kept = stream()
      kept.refuse(true)
      const first = consumer("full", kept.sink)
      await broker.produce("full", 0, numbered(300, 600))
      await eventually("refusals", () => kept.offers() > 1 || undefined, wait)
      await stop(first)
      expect(kept.lines()).toEqual([])
      kept.refuse(false)
      const second = consumer("full", kept.sink)
      await eventually("all lines", () => kept.lines().length >= 600 || undefined, wait)
      expect(kept.lines()).toEqual(numbered(0, 600))
      await stop(second)
      const third = consumer("full", kept.sink)
      await broker.produce("full", 0, ["after"])
      await eventually("what came after", () => kept.lines().includes("after") || undefined, wait)
      expect(kept.lines()).toEqual([...numbered(0, 600), "after"])
      await stop(third)
    },
    wait
  )

  it(
    "adds no line twice when it dies between the stream and the commit, and more came meanwhile",
    async () => {
      await broker.produce("crash", 1, numbered(0, 100))
      const kept = stream()
      let reached = false
      // The lines are in the stream; the commit never happens.
      kept.amid(() =>
        Effect.andThen(
          Effect.sync(() => void (reached = true)),
          Effect.never
        )
      )
      const first = consumer("crash", kept.sink)
      await eventually("the stream has them", () => reached || undefined, wait)
      await stop(first)
      expect(kept.lines().length).toBeGreaterThan(0)
      await broker.produce("crash", 1, numbered(100, 250))
      kept.amid(undefined)
      const second = consumer("crash", kept.sink)
      await eventually("all lines", () => kept.lines().includes("line 249") || undefined, wait)
      expect(kept.lines()).toEqual(numbered(0, 250))
      await stop(second)
    },
    wait
  )
})
