/** How long single jobs wait: for their start, for their caller to hear, behind a backlog, after they were due. */
import { pause, quantile } from "../clock.ts"
import { pick, row } from "../Row.ts"
import type { Scenario } from "../Scenario.ts"

export const latency: Scenario = {
  name: "latency",
  about: "ms from enqueue to start and to the result at the caller, at 100 jobs per second; results missed",
  run: async (ring, peers) => {
    const count = ring.full ? 3_000 : 1_000
    const seen = await ring.interleaved(peers, ring.full ? 3 : 1, (peer) =>
      ring.round(peer, async (place, caller) => {
        const worker = await ring.host(peer, "worker")
        await worker.ask("work", { place, concurrency: 50 })
        try {
          await caller.ask("latency", { count: 30, perSecond: 100, patienceMs: 5_000 })
          const { missed, toResult, toStart } = await caller.ask("latency", {
            count,
            perSecond: 100,
            patienceMs: 5_000
          })
          // Whether none is missed shows only in many, which at the slow rate would take a quarter of an hour.
          const many = ring.full ? { count: 100_000, perSecond: 2_000, patienceMs: 20_000 } : undefined
          const more = many === undefined ? 0 : (await caller.ask("latency", many)).missed
          return {
            start50: quantile(toStart, 0.5),
            start99: quantile(toStart, 0.99),
            result50: quantile(toResult, 0.5),
            result99: quantile(toResult, 0.99),
            missed: missed + more
          }
        } finally {
          await worker.ask("rest")
        }
      })
    )
    const base = { scenario: "latency", unit: "ms", lessIsBetter: true }
    const half = [{ times: 2, of: "bullmq" }]
    const same = [{ times: 1, of: "bullmq" }]
    return [
      row(
        { ...base, metric: "enqueue → start, p50", must: half },
        pick(seen, (f) => f.start50)
      ),
      row(
        { ...base, metric: "enqueue → start, p99", must: same },
        pick(seen, (f) => f.start99)
      ),
      row(
        { ...base, metric: "enqueue → result, p50", must: half },
        pick(seen, (f) => f.result50)
      ),
      row(
        { ...base, metric: "enqueue → result, p99", must: same },
        pick(seen, (f) => f.result99)
      ),
      row(
        { ...base, metric: "results missed", unit: "", must: [{ atMost: 0 }], chief: false },
        pick(seen, (f) => f.missed)
      )
    ]
  }
}

export const delayed: Scenario = {
  name: "delayed",
  about: "ms by which 10,000 delayed jobs start late, 2,000 due per second",
  run: async (ring, peers) => {
    const count = 10_000
    const seen = await ring.interleaved(peers, ring.full ? 3 : 0, (peer) =>
      ring.round(peer, async (place, caller) => {
        const worker = await ring.host(peer, "worker")
        const due = await caller.ask("fillDelayed", { count, everyMs: 0.5, leadMs: 2_500 })
        const { starts } = await ring.drain(place, [worker], count, { concurrency: 50, keep: true })
        const late = starts.map(([n, at]) => at - (due[n] ?? 0))
        return { p50: quantile(late, 0.5), p99: quantile(late, 0.99) }
      })
    )
    const base = { scenario: "delayed", unit: "ms", lessIsBetter: true }
    return [
      row(
        { ...base, metric: "delayed jobs late, p50" },
        pick(seen, (f) => f.p50)
      ),
      row(
        { ...base, metric: "delayed jobs late, p99", must: [{ atMost: 30 }] },
        pick(seen, (f) => f.p99)
      )
    ]
  }
}

export const priority: Scenario = {
  name: "priority",
  about: "ms until one high-priority job starts while 20,000 low ones of 5 ms wait",
  run: async (ring, peers) => {
    const probes = ring.full ? 50 : 15
    const backlog = 20_000
    const seen = await ring.interleaved(peers, ring.full ? 3 : 0, (peer) =>
      ring.round(peer, async (place, caller) => {
        const worker = await ring.host(peer, "worker")
        await caller.ask("fill", { count: backlog, priority: "low" })
        const starts = new Map<number, number>()
        const off = worker.hear((told) => told.what === "started" && starts.set(told.n, told.at))
        await worker.ask("work", { place, ms: 5, tell: true, concurrency: 10 })
        const waits: Array<number> = []
        await pause(300)
        for (let i = 0; i < probes; i++) {
          const n = backlog + i
          const { at } = await caller.ask("one", { n, priority: "high" })
          for (let k = 0; k < 500 && !starts.has(n); k++) await pause(2)
          waits.push((starts.get(n) ?? Number.NaN) - at)
        }
        off()
        await worker.ask("rest")
        return { p50: quantile(waits, 0.5), max: Math.max(...waits) }
      })
    )
    const options = { scenario: "priority", metric: "high behind 20,000 low, start", unit: "ms", lessIsBetter: true }
    return [
      row(
        { ...options, must: [{ atMost: 8 }] },
        pick(seen, (f) => f.p50)
      )
    ]
  }
}
