/**
 * Lets virtual time pass over the engine in memory: from one moment at which something is due to the next, jobs and schedules
 * alike. Promises that each of them happens at its own time by the clock; needs a `TestClock`.
 */
import { Clock, Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { isFinal } from "../jobs/Outcome.ts"
import * as Policy from "../schedules/Policy.ts"
import type { Schedule } from "../schedules/Schedule.ts"
import type { Drained, Memory } from "./Memory.ts"

/** A slot of a schedule that fired, or was left out. */
export interface Slot {
  readonly name: string
  /** Epoch ms. */
  readonly at: number
  /** The job; undefined where the slot was left out. */
  readonly id: string | undefined
  /** Why, in the words of the beat. */
  readonly reason: string
}

type Counts = { -readonly [K in keyof Drained]: Drained[K] }

export interface Advanced extends Drained {
  readonly slots: ReadonlyArray<Slot>
}

/** Turns of the event loop that running handlers are given at each moment. */
const turns = 20
/** Most moments of one advance. */
const momentsMax = 1_000_000

export class VirtualTime {
  private readonly memory: Memory
  private schedules: ReadonlyArray<Schedule> = []
  /** Up to when slots are over. */
  private over = 0
  private counts: Counts = { done: 0, failed: 0, retried: 0 }
  /** True while the clock goes from one moment to the next, and wakes handlers that sleep. */
  private passing = false
  /** The next moment between, where a fiber waits for one. */
  private between = Number.POSITIVE_INFINITY
  private readonly fired = new Map<string, Array<string>>()
  /** Slots that wait for the end of an earlier job, by name. */
  private readonly waits = new Map<string, number>()

  constructor(memory: Memory) {
    this.memory = memory
  }

  /** Schedules that are to fire from now on, instead of those before. */
  beat(schedules: ReadonlyArray<Schedule>): Effect.Effect<void> {
    return Effect.map(Clock.currentTimeMillis, (now) => {
      this.schedules = schedules
      this.waits.clear()
      this.over = now
    })
  }

  advance(duration: Duration.Input): Effect.Effect<Advanced> {
    const slots: Array<Slot> = []
    return Effect.gen({ self: this }, function* () {
      const counts = { done: 0, failed: 0, retried: 0 }
      this.counts = counts
      let now = yield* Clock.currentTimeMillis
      const end = now + Duration.toMillis(Duration.fromInputUnsafe(duration))
      for (let i = 0; i < momentsMax; i++) {
        yield* this.fire(now, slots)
        yield* this.start(counts)
        if (now >= end) return { ...counts, slots }
        const next = Math.min(end, this.memory.jobs.nextDue(), this.nextSlot(now), now + this.patience())
        this.passing = true
        yield* Effect.ensuring(
          TestClock.adjust(Math.max(0, next - now)),
          Effect.sync(() => (this.passing = false))
        )
        yield* settled
        now = yield* Clock.currentTimeMillis
      }
      return yield* Effect.die(new Error(`${momentsMax} moments have passed and there are more: is a delay nothing?`))
    })
  }

  /** Starts what is due, each in a fiber of its own: one that sleeps on the clock must not hold up the others. */
  private start(counts: Counts): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      for (;;) {
        const kept = this.memory.jobs.next(yield* Clock.currentTimeMillis)
        if (kept === undefined) return
        const run = Effect.andThen(this.memory.run(kept, counts), this.follow())
        const fiber = yield* Effect.forkDetach(run, { startImmediately: true })
        for (let i = 0; i < turns && fiber.pollUnsafe() === undefined; i++) yield* turn
        if (fiber.pollUnsafe() !== undefined) yield* Fiber.join(fiber)
      }
    })
  }

  /** What comes of a handler that ended while the clock went on: at once, and when it is due, though no moment was known. */
  private follow(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (!this.passing) return
      const now = yield* Clock.currentTimeMillis
      for (let kept = this.memory.jobs.next(now); kept !== undefined; kept = this.memory.jobs.next(now)) {
        const run = Effect.andThen(this.memory.run(kept, this.counts), this.follow())
        yield* Effect.forkDetach(run, { startImmediately: true })
      }
      const due = this.memory.jobs.nextDue()
      if (due >= this.between || due === Number.POSITIVE_INFINITY) return
      this.between = due
      const then = Effect.suspend(() => {
        this.between = Number.POSITIVE_INFINITY
        return this.follow()
      })
      yield* Effect.forkDetach(Effect.andThen(Effect.sleep(due - now), then), { startImmediately: true })
    })
  }

  private nextSlot(now: number): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.schedules.map((s) => Policy.nextSlot(s.when, now)))
  }

  /** ms until a beat looks again whether the job has ended that a slot waits for. */
  private patience(): number {
    return this.waits.size === 0 ? Number.POSITIVE_INFINITY : 1_000
  }

  private fire(now: number, out: Array<Slot>): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      for (const s of this.schedules) {
        const slots = Policy.slotsBetween(s.when, this.over, now, Policy.slotsMax)
        const waiting = this.waits.get(s.name)
        this.waits.delete(s.name)
        let crowded = false
        for (const slot of waiting === undefined ? slots : [waiting, ...slots]) {
          const done: Slot | undefined = yield* this.fireOne(s, slot, crowded)
          if (done === undefined) this.waits.set(s.name, slot)
          else out.push(done)
          crowded ||= done === undefined || slot === waiting
        }
      }
      this.over = Math.max(this.over, now)
    })
  }

  /** Undefined where the slot waits. `crowded`: it came while another waited. */
  private fireOne(s: Schedule, slot: number, crowded: boolean): Effect.Effect<Slot | undefined> {
    return Effect.gen({ self: this }, function* () {
      const before = this.fired.get(s.name) ?? []
      if (s.maxRuns !== undefined && before.length >= s.maxRuns) {
        return { name: s.name, at: slot, id: undefined, reason: `it has run ${s.maxRuns} times` }
      }
      if (crowded) return { name: s.name, at: slot, id: undefined, reason: "one is waiting already" }
      const unfinished = before.slice(-3).filter((id) => !isFinal(this.memory.jobs.all.get(id)?.state ?? "done"))
      const start = Policy.overlap(s.overlap, unfinished.length)
      if (start.act === "leave") return { name: s.name, at: slot, id: undefined, reason: start.reason }
      if (start.act === "wait") return undefined
      if (start.act === "cancelAndStart") for (const id of unfinished) yield* this.memory.cancel(id, "revoked")
      const offered = yield* Effect.exit(
        this.memory.engine().offer(s.job, {
          id: `beat:${s.name}:${slot}`,
          delay: Policy.jitterOf(s.name, slot, s.jitterMs),
          queue: s.queue
        })
      )
      if (offered._tag === "Failure") {
        return { name: s.name, at: slot, id: undefined, reason: String(offered.cause) }
      }
      const { id } = offered.value
      this.fired.set(s.name, [...before, id])
      return { name: s.name, at: slot, id, reason: start.reason }
    })
  }
}

const turn = Effect.andThen(
  Effect.yieldNow,
  Effect.promise(() => new Promise<void>((go) => setImmediate(go)))
)
/** Lets fibers that the clock has woken do what they do. */
const settled = Effect.andThen(turn, turn)
