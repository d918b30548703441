/** How fast queues are emptied and filled, and at what cost in CPU. */
import type { Scenario } from "../Scenario.ts"
import { pick, row } from "../Row.ts"

/** Enough jobs for about a second each. */
const jobs: Readonly<Record<string, number>> = { loglytics: 100_000, raw: 120_000, bullmq: 15_000, celery: 1_500 }
const jobsOf = (peer: string, full: boolean): number => (jobs[peer] ?? 10_000) * (full ? 4 : 1)

export const drained: Scenario = {
  name: "drained",
  about: "jobs per second that one worker process finishes, results kept, and its CPU and the server's per job",
  run: async (ring, peers) => {
    const seen = await ring.interleaved(peers, ring.full ? 7 : 3, (peer) => {
      const count = jobsOf(peer, ring.full)
      return ring.round(peer, async (place, caller) => {
        await caller.ask("fill", { count })
        const { perSecond, serverUs, workerUs } = await ring.drain(place, [await ring.host(peer, "worker")], count)
        return { perSecond, workerUs, serverUs }
      })
    })
    const base = { scenario: "drained" }
    const must = [
      { times: 4, of: "bullmq" },
      { times: 0.6, of: "raw" }
    ]
    return [
      row(
        { ...base, metric: "drained by one process", unit: "jobs/s", must },
        pick(seen, (f) => f.perSecond)
      ),
      row(
        { ...base, metric: "CPU per job, worker + server", unit: "µs", lessIsBetter: true, must: [{ atMost: 30 }] },
        pick(seen, (f) => f.workerUs + f.serverUs)
      ),
      row(
        { ...base, metric: "… of it the worker's", unit: "µs", lessIsBetter: true },
        pick(seen, (f) => f.workerUs)
      )
    ]
  }
}

export const twoWorkers: Scenario = {
  name: "two-workers",
  about: "how many times as fast two worker processes are as one",
  run: async (ring, peers) => {
    const seen = await ring.interleaved(peers, ring.full ? 7 : 2, async (peer) => {
      const count = jobsOf(peer, ring.full)
      const speed = (roles: ReadonlyArray<string>) =>
        ring.round(peer, async (place, caller) => {
          await caller.ask("fill", { count })
          const workers = await Promise.all(roles.map((role) => ring.host(peer, role)))
          return (await ring.drain(place, workers, count)).perSecond
        })
      const one = await speed(["worker"])
      const two = await speed(["worker", "worker 2"])
      return { one, two, ratio: two / one }
    })
    const options = { scenario: "two-workers", metric: "two processes against one", unit: "×" }
    return [
      row(
        { ...options, must: [{ atLeast: 1.5 }] },
        pick(seen, (f) => f.ratio)
      )
    ]
  }
}

export const enqueue: Scenario = {
  name: "enqueue",
  about: "jobs added per second by one caller that awaits each, by 100 at once, and in bulk",
  run: async (ring, peers) => {
    const scale = ring.full ? 4 : 1
    const seen = await ring.interleaved(peers, ring.full ? 7 : 3, (peer) =>
      ring.round(peer, async (_, caller) => {
        const slow = peer === "celery" ? 0.1 : 1
        const before = await ring.server.cpuUs()
        const count = 2_000 * scale * slow
        const one = await caller.ask("enqueue", { callers: 1, count })
        const oneUs = (one.cpuUs + (await ring.server.cpuUs()) - before) / count
        const many = await caller.ask("enqueue", { callers: 100, count: 10_000 * scale * slow })
        const bulk = await caller.ask("fill", { count: jobsOf(peer, ring.full) })
        const ping = (await caller.ask("ping", { count }))?.perSecond ?? Number.NaN
        return { one: one.perSecond, oneUs, ping, many: many.perSecond, bulk: bulk.perSecond }
      })
    )
    const base = { scenario: "enqueue", unit: "jobs/s" }
    const must = (times: number) => [{ times, of: "bullmq" }]
    return [
      row(
        { ...base, metric: "enqueued, one caller awaiting", must: must(2) },
        pick(seen, (f) => f.one)
      ),
      row(
        { ...base, metric: "… an empty round trip (PING)" },
        pick(seen, (f) => f.ping)
      ),
      row(
        { ...base, metric: "enqueued, 100 callers", must: must(2) },
        pick(seen, (f) => f.many)
      ),
      row(
        { ...base, metric: "enqueued in bulk", must: must(5) },
        pick(seen, (f) => f.bulk)
      )
    ]
  }
}
