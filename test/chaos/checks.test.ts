/** The checks of chaos can fail: each is shown evidence of the fault it is there for, and evidence of a good run. */
import { assert, describe, it } from "vitest"
import * as Checks from "./Checks.ts"
import { judge } from "./Chaos.ts"
import { wallMs } from "./Clock.ts"
import { commandsOf, historyOf } from "./History.ts"
import * as Leases from "./Leases.ts"
import { type Harm, type Line, type Run, runsOf } from "./Ledger.ts"
import { dice } from "./Seed.ts"
import * as Tasks from "./tasks.ts"
import { schedule } from "./Verbs.ts"
import { workload } from "./Workload.ts"

const resp = (...words: ReadonlyArray<string>) =>
  `*${words.length}\r\n${words.map((w) => `$${Buffer.byteLength(w)}\r\n${w}\r\n`).join("")}`
const job = (id: string) => `chaos:{default}:job:${id}`
const queued = (id: string) =>
  resp("XADD", "chaos:{default}:jobs", "1-0", "id", id, "task", "plain", "payload", "{}") +
  resp("HSET", job(id), "state", "queued", "entry", "1-0")
const state = (id: string, to: string) => resp("HSET", job(id), "state", to)
const unique = (id: string) => resp("SET", "chaos:{default}:unique:once:1", id)
const claim = (consumer: string, at: number, count: number) => {
  const held = ["chaos:{default}:jobs", "workers", consumer, "0", "1-0"]
  return resp("XCLAIM", ...held, "TIME", String(wallMs + at), "RETRYCOUNT", String(count))
}
const history = (...writes: ReadonlyArray<string>) => historyOf(Buffer.from(writes.join("")), "chaos")

const run = (more: Partial<Run>): Run => ({
  id: "d-1",
  task: "plain",
  attempt: 1,
  worker: 0,
  pid: 10,
  from: 100,
  until: 110,
  how: "done",
  ...more
})
const answer = {
  ask: {
    at: 0,
    n: 1,
    kind: "plain",
    job: Tasks.Plain.job({ n: 1, ms: 0, times: 0 }),
    options: {},
    insist: false,
    revokeAfter: undefined,
    fate: { states: ["done"], sum: 3 }
  },
  at: 0,
  told: "accepted",
  id: "d-1"
} as const
const kept = { state: "done", result: '{"sum":3}', error: undefined, ttl: 1_000 }

/** A run in which all went well. */
const good: Checks.Evidence = {
  leaseMs: 1_000,
  answers: [answer],
  revocations: [],
  harms: [],
  deaths: new Map(),
  runs: [run({})],
  history: history(queued("d-1"), state("d-1", "done")),
  looks: { count: 100, wrong: [] },
  left: {
    keys: [
      { key: job("d-1"), ttl: 1_000 },
      { key: "chaos:{default}:jobs", ttl: -1 }
    ],
    jobs: new Map([["d-1", kept]]),
    rows: [["d-1", "plain", "done", 1, 0, 100, 110]]
  },
  held: {}
}
const harm = (verb: string, from: number, until: number, worker?: number): Harm => ({ verb, worker, from, until })
const left = (more: Partial<Checks.Evidence["left"]>) => ({ left: { ...good.left, ...more } })
const jobs = (more: Partial<typeof kept>) => left({ jobs: new Map([["d-1", { ...kept, ...more }]]) })
const killed = new Map([[10, { worker: 0, at: 150, how: "killed" as const }]])

const faults: ReadonlyArray<readonly [fault: string, check: Checks.Check, evidence: Partial<Checks.Evidence>]> = [
  ["a job of which nothing is known", Checks.nothingLost, left({ jobs: new Map() })],
  ["a job that ended as it may not", Checks.nothingLost, jobs({ state: "dead" })],
  ["a wrong result", Checks.nothingLost, jobs({ result: '{"sum":4}' })],
  ["a queue that is not empty", Checks.allEnded, { held: { default: "lag 1" } }],
  ["a job that was left running", Checks.allEnded, { history: history(queued("d-1")) }],
  [
    "a job that finished twice",
    Checks.orderLegal,
    { history: history(queued("d-1"), state("d-1", "done"), state("d-1", "done")) }
  ],
  [
    "a job that came back from the dead",
    Checks.orderLegal,
    { history: history(queued("d-1"), state("d-1", "dead"), queued("d-1")) }
  ],
  [
    "a job that stands in its stream twice",
    Checks.queuedOnce,
    { history: history(resp("XADD", "chaos:{default}:jobs", "1-0", "id", "d-1", "task", "plain"), queued("d-1")) }
  ],
  [
    "two holders of a unique key",
    Checks.uniqueAlone,
    { history: history(unique("d-1"), queued("d-1"), unique("d-2"), queued("d-2")) }
  ],
  ["a result that nobody made", Checks.resultsEarned, { runs: [run({ how: "failed" })] }],
  ["a revoked job that was done", Checks.revokesKept, { revocations: [{ id: "d-1", at: 0, answer: "cancelled" }] }],
  [
    "two ends that were told",
    Checks.eventsTrue,
    left({ rows: [...good.left.rows, ["d-1", "plain", "done", 2, 0, 200, 210]] })
  ],
  ["an event that is not so", Checks.eventsTrue, left({ rows: [["d-1", "plain", "dead", 1, 0, 100, 110]] })],
  [
    "a lag that is not known",
    Checks.lagTrue,
    { looks: { count: 100, wrong: [{ at: 5_000, queue: "default", lag: null, truth: 1 }] } }
  ],
  ["a lag nobody looked at", Checks.lagTrue, { looks: { count: 1, wrong: [] } }],
  ["a job hash that stays for ever", Checks.nothingLeaks, left({ keys: [{ key: job("d-1"), ttl: -1 }] })],
  [
    "a unique key that is left",
    Checks.nothingLeaks,
    left({ keys: [{ key: "chaos:{default}:unique:once:1", ttl: -1 }] })
  ],
  [
    "an orphan that starts too late",
    Leases.orphansInTime,
    { deaths: killed, runs: [run({ until: undefined }), run({ pid: 11, worker: 1, from: 9_000, until: 9_010 })] }
  ],
  ["an orphan that never starts", Leases.orphansInTime, { deaths: killed, runs: [run({ until: undefined })] }],
  [
    "a job that two workers run at once",
    Leases.neverTwoAtOnce,
    { runs: [run({ until: 5_000 }), run({ pid: 11, worker: 1, from: 2_000, until: 2_100 })] }
  ]
]

describe("the checks of chaos", () => {
  it("find nothing in a good run", () => {
    assert.deepStrictEqual(judge(good), [])
  })

  for (const [fault, check, evidence] of faults) {
    it(`see ${fault}`, () => {
      assert.deepStrictEqual(check(good), [])
      assert.lengthOf(check({ ...good, ...evidence }), 1)
    })
  }

  it("excuse what a harm explains, and nothing else", () => {
    const two = { runs: [run({ until: 5_000 }), run({ pid: 11, worker: 1, from: 2_000, until: 2_100 })] }
    const by = (harms: ReadonlyArray<Harm>) => Leases.neverTwoAtOnce({ ...good, ...two, harms })
    assert.lengthOf(by([harm("frozen", 500, 3_000, 0)]), 0)
    assert.lengthOf(by([harm("frozen", 500, 3_000, 2)]), 1)
    assert.lengthOf(by([harm("slowed", 500, 3_000, 0)]), 1)
    // Entries of a job that had begun before its group was lost come again, however late; of another job they do not.
    const late = [run({ until: 1_100 }), ...two.runs.map((one) => ({ ...one, from: one.from + 60_000, until: 66_000 }))]
    const lost = (at: number) =>
      Leases.neverTwoAtOnce({ ...good, runs: late, harms: [harm("group destroyed", at, at)] })
    assert.lengthOf(lost(2_000), 0)
    assert.lengthOf(lost(50), 1)
    // The claim of an orphan goes with its group.
    const orphan = [run({ until: undefined }), run({ pid: 11, worker: 1, from: 9_000, until: 9_010 })]
    const unclaimed = (at: number) =>
      Leases.orphansInTime({ ...good, deaths: killed, runs: orphan, harms: [harm("group destroyed", at, at)] })
    assert.lengthOf(unclaimed(2_000), 0)
    assert.lengthOf(unclaimed(8_900), 1)
    // One that was claimed by a worker which was lost before it began: at 2,000, renewed until `renewed`, then at `next`.
    const handedOn = (renewed: number, next: number, started: number) =>
      Leases.orphansInTime({
        ...good,
        deaths: killed,
        runs: [run({ until: undefined }), run({ pid: 11, worker: 1, attempt: 3, from: started, until: started + 10 })],
        history: history(
          queued("d-1"),
          claim("a", 90, 1),
          ...[2_000, renewed].map((at) => claim("b", at, 2)),
          claim("c", next, 3),
          state("d-1", "done")
        )
      })
    assert.lengthOf(handedOn(3_000, 6_000, 7_000), 0)
    assert.lengthOf(handedOn(6_000, 9_000, 9_100), 0)
    assert.lengthOf(handedOn(2_000, 6_000, 7_000), 1)
    assert.lengthOf(handedOn(3_000, 6_000, 10_000), 1)
    const wrong = { count: 100, wrong: [{ at: 5_000, queue: "default" as const, lag: null, truth: 1 }] }
    assert.lengthOf(Checks.lagTrue({ ...good, looks: wrong, harms: [harm("redis killed", 4_000, 4_500)] }), 0)
    assert.lengthOf(Checks.lagTrue({ ...good, looks: wrong, harms: [harm("redis killed", 1_000, 1_500)] }), 1)
  })
})

describe("the evidence of chaos", () => {
  it("is read from an append-only file up to where it breaks off", () => {
    const whole = resp("SET", "ключ", "v\r\nw")
    const file = Buffer.from(`#TS:1\r\n${whole}${whole.slice(0, -4)}`)
    assert.deepStrictEqual([...commandsOf(file)], [["SET", "ключ", "v\r\nw"]])
  })

  it("pairs starts with ends by process and attempt", () => {
    const lines: ReadonlyArray<Line> = [
      [1, 0, 10, "start", "d-1", 1, "plain"],
      [2, 1, 11, "start", "d-1", 2, "plain"],
      [3, 1, 11, "start", "d-1", 3, "plain"],
      [4, 1, 11, "end", "d-1", 2, "failed"],
      [5, 1, 11, "end", "d-1", 3, "done"]
    ]
    assert.deepStrictEqual(
      runsOf(lines).map((r) => [r.pid, r.until, r.how]),
      [
        [10, undefined, "never told"],
        [11, 4, "failed"],
        [11, 5, "done"]
      ]
    )
    // A claim that was lost and given to the same process anew.
    const again: ReadonlyArray<Line> = [
      [1, 0, 10, "start", "d-1", 1, "plain"],
      [2, 0, 10, "start", "d-1", 1, "plain"],
      [3, 0, 10, "end", "d-1", 1, "cut"],
      [4, 0, 10, "end", "d-1", 1, "done"]
    ]
    assert.deepStrictEqual(
      runsOf(again).map((r) => [r.until, r.how]),
      [
        [3, "cut"],
        [4, "done"]
      ]
    )
  })
})

describe("a seed", () => {
  it("does the same deeds to the same work", () => {
    const of = (seed: number) => {
      const options = { forMs: 60_000, perSecond: 5, leaseMs: 1_000 }
      return JSON.stringify([
        schedule(dice(seed).fork("harm"), { ...options, workers: 3 }),
        workload(dice(seed).fork("work"), options)
      ])
    }
    assert.strictEqual(of(1), of(1))
    assert.notStrictEqual(of(1), of(2))
  })
})
