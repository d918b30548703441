/** Scan.ts against a model of a cloud: whatever happens, what was handed out is what is stored, each once. */
import { fc } from "../../support/property.ts"
import { describe, expect, it } from "vitest"
import * as Scan from "../../../src/ingest/Scan.ts"
import { makeModel, type Model } from "../../support/clouds/Model.ts"

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
/** The server's time at the beginning. */
const dawn = Date.UTC(2026, 10, 1)

const options: Scan.Options = { rescanMs: day, historyMs: day }

type Command =
  | { readonly _: "append"; readonly count: number; readonly late: number; readonly hidden: number }
  | { readonly _: "wait"; readonly ms: number }
  | { readonly _: "poll"; readonly pages: number }
  /** A page was taken, and the process died before or after it was kept. */
  | { readonly _: "die"; readonly kept: boolean }
  | { readonly _: "empty"; readonly count: number }
  | { readonly _: "endTokens" }
  | { readonly _: "skew"; readonly ms: number }

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      _: fc.constant("append" as const),
      count: fc.integer({ min: 1, max: 12 }),
      late: fc.oneof(
        { weight: 5, arbitrary: fc.integer({ min: 0, max: 3 * second }) },
        { weight: 2, arbitrary: fc.integer({ min: 0, max: 20 * minute }) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 20 * hour }) },
        // Ahead of the server's clock.
        { weight: 1, arbitrary: fc.integer({ min: -2 * hour, max: 0 }) }
      ),
      hidden: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: Scan.settleMs }))
    })
  },
  {
    weight: 5,
    arbitrary: fc.record({
      _: fc.constant("wait" as const),
      ms: fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: 0, max: 40 * second }) },
        { weight: 2, arbitrary: fc.integer({ min: 0, max: 10 * minute }) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 5 * hour }) }
      )
    })
  },
  { weight: 6, arbitrary: fc.record({ _: fc.constant("poll" as const), pages: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ _: fc.constant("die" as const), kept: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ _: fc.constant("empty" as const), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ _: fc.constant("endTokens" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      _: fc.constant("skew" as const),
      ms: fc.oneof(fc.integer({ min: 0, max: 55 * minute }), fc.integer({ min: -3 * hour, max: 0 }))
    })
  }
)

/** A poller over the model. A kept page counts as delivered: that pages are kept with their cursors is the task's promise. */
class Poller {
  state: Scan.State | undefined
  delivered: Array<string> = []
  server = dawn
  skew = 0
  pages = 0
  limit: number
  readonly model: Model
  readonly options: Scan.Options
  constructor(model: Model, limit: number, scan = options) {
    this.model = model
    this.limit = limit
    this.options = scan
  }
  get now(): number {
    return this.server + this.skew
  }
  page(kept = true): boolean {
    const { repeated, state, window } = Scan.next(
      this.state ?? Scan.begin(this.now, this.options),
      this.now,
      this.options
    )
    const { from, to, token } = window
    const page = this.model.page({ from, to, token, now: this.server, limit: this.limit })
    if (page === undefined) {
      this.keep(Scan.tokenLost(state, repeated) ?? { ...state, window: undefined, again: undefined })
      return true
    }
    const { fresh, more, state: after } = Scan.took(state, repeated, page, this.now, this.options)
    if (kept) {
      this.keep(after)
      this.delivered.push(...fresh.map(({ id }) => id))
    }
    return more
  }
  /** Some of the time as text, which is how it is kept. */
  private keep(state: Scan.State): void {
    this.state = this.pages++ % 10 === 0 ? Scan.decode(Scan.encode(state)) : state
    if (this.state === undefined) throw new Error("expected a cursor that can be read")
  }
}

const run = (commands: ReadonlyArray<Command>, limit: number, scan = options): void => {
  const model = makeModel()
  const poller = new Poller(model, limit, scan)
  poller.page()
  let n = 0
  for (const one of commands) {
    if (one._ === "append") {
      for (let i = 0; i < one.count; i++) {
        // Two in three share their millisecond.
        const time = poller.server - one.late + (i % 3 === 2 ? i : 0)
        const ingested = poller.server
        model.append({ id: `e${n}`, time, ingested, visible: ingested + one.hidden, message: `m${n++}` })
      }
    } else if (one._ === "wait") poller.server += one.ms
    else if (one._ === "poll") for (let i = 0; i < one.pages; i++) poller.page()
    else if (one._ === "die") poller.page(one.kept)
    else if (one._ === "empty") model.emptyPages(one.count)
    else if (one._ === "endTokens") model.endTokens()
    else poller.skew = one.ms
  }
  // A quiet end: all that was ingested is at rest, and the hour of the repeated scan comes.
  poller.skew = Math.max(0, poller.skew)
  poller.limit = 100
  for (let i = 0; i < 5; i++) {
    poller.server += 50 * minute
    for (let pages = 0; poller.page() && pages < 5_000; pages++);
  }
  const stored = model.stored.map(({ id }) => id).toSorted()
  expect(poller.delivered.toSorted()).toEqual(stored)
}

describe("a scan", () => {
  it("hands out what is stored, each once, whatever happens", { timeout: 180_000 }, () => {
    fc.assert(
      fc.property(
        fc.array(command, { maxLength: 60, size: "max" }),
        fc.integer({ min: 1, max: 7 }),
        (commands, limit) => run(commands, limit)
      ),
      { numRuns: 400, interruptAfterTimeLimit: 90_000 }
    )
  })

  it("needs no repeated scan for what is a little late", { timeout: 180_000 }, () => {
    const prompt = fc.array(
      command.map((one): Command => (one._ === "append" ? { ...one, late: Math.min(one.late, minute) } : one)),
      { maxLength: 60, size: "max" }
    )
    fc.assert(
      fc.property(prompt, (commands) => run(commands, 3, { ...options, rescanMs: 0 })),
      { numRuns: 300 }
    )
  })

  it("does so with room for few ids while nothing is seen late", { timeout: 180_000 }, () => {
    const atOnce = fc.array(
      command
        .map((one): Command => (one._ === "append" ? { ...one, hidden: 0, late: Math.max(0, one.late) } : one))
        .filter(({ _ }) => _ !== "skew"),
      { maxLength: 40, size: "max" }
    )
    fc.assert(
      fc.property(atOnce, (commands) => run(commands, 3, { ...options, ids: 400 })),
      { numRuns: 100 }
    )
  })

  it("reads a long history with room for few ids, though tokens end on the way", { timeout: 60_000 }, () => {
    const pages = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 8 })
    fc.assert(
      fc.property(pages, (between) => {
        const model = makeModel()
        for (let n = 0; n < 2_000; n++) {
          const time = dawn - 20 * hour + n * 30 * second
          model.append({ id: `e${n}`, time, ingested: time, visible: time, message: "" })
        }
        const poller = new Poller(model, 9, { ...options, ids: 100 })
        for (const count of between) {
          for (let i = 0; i < count; i++) poller.page()
          model.endTokens()
        }
        for (let i = 0; i < 2_000 && poller.page(); i++);
        expect(poller.delivered.toSorted()).toEqual(model.stored.map(({ id }) => id).toSorted())
      }),
      { numRuns: 15 }
    )
  })
})
