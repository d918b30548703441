/** What happens when a worker dies, and when somebody changes his mind about a job that runs elsewhere. */
import { now, pause, quantile } from "../clock.ts"
import { Host } from "../Host.ts"
import { pick, row } from "../Row.ts"
import type { Scenario } from "../Scenario.ts"

/** One of 50 jobs takes so long that none ends before the kill; the second worker's are short. */
const inFlight = 50
const foreverMs = 600_000

const kill = async (ring: Parameters<Scenario["run"]>[0], peer: string) => {
  // A peer that rescues by the clock of a minute needs that minute; longer is told as "not within".
  const patienceMs = ring.full ? 180_000 : 70_000
  const place = ring.place()
  const [caller, victim, heir] = await Promise.all([Host.start(peer), Host.start(peer), Host.start(peer)])
  try {
    await caller.ask("call", place)
    await caller.ask("fill", { count: inFlight })
    const begun = new Set<number>()
    victim.hear((told) => told.what === "started" && begun.add(told.n))
    const work = { place, tell: true, defaults: true, concurrency: inFlight }
    void victim.ask("work", { ...work, ms: foreverMs }).catch(() => {})
    for (let i = 0; i < 2_000 && begun.size < inFlight; i++) await pause(5)
    const restarted = new Map<number, number>()
    const ended = new Map<number, number>()
    heir.hear((told) => {
      if (told.what === "started" && !restarted.has(told.n)) restarted.set(told.n, told.at)
      if (told.what === "ended") ended.set(told.n, (ended.get(told.n) ?? 0) + 1)
    })
    // The heir works already when the victim dies, as the other workers of a real site do.
    await heir.ask("work", { ...work, ms: 20 })
    await pause(500)
    victim.kill()
    const at = now()
    while (restarted.size < inFlight && now() - at < patienceMs) await pause(20)
    // Where some never came back, this is how long was waited; the row above tells how many.
    const seconds = (restarted.size < inFlight ? patienceMs : Math.max(...restarted.values()) - at) / 1_000
    await pause(500)
    await heir.ask("rest").catch(() => {})
    await caller.ask("close")
    const twice = [...ended.values()].filter((times) => times > 1).length
    ring.options.log(
      `  ${peer}: ${inFlight - restarted.size} lost, ${twice} twice, all again after ${seconds.toFixed(1)} s`
    )
    return { lost: inFlight - restarted.size, twice, seconds }
  } finally {
    victim.kill()
    heir.stop()
    caller.stop()
  }
}

export const killed: Scenario = {
  name: "killed",
  about:
    "kill -9 of a worker with 50 jobs in flight, everything at its default: lost, finished twice, seconds until all run again",
  run: async (ring, peers) => {
    await ring.server.clear()
    // All at the same time: it is mostly waiting.
    const seen = new Map(await Promise.all(peers.map(async (peer) => [peer, await kill(ring, peer)] as const)))
    const base = { scenario: "killed", lessIsBetter: true }
    const none = [{ atMost: 0 }]
    return [
      row(
        { ...base, metric: "kill -9: not started again", unit: "jobs", must: none, chief: false },
        pick(seen, (f) => f.lost)
      ),
      row(
        { ...base, metric: "kill -9: finished twice", unit: "jobs", must: none, chief: false },
        pick(seen, (f) => f.twice)
      ),
      row(
        { ...base, metric: "kill -9: all 50 run again", unit: "s", must: [{ atMost: 10 }] },
        pick(seen, (f) => f.seconds)
      )
    ]
  }
}

export const cancel: Scenario = {
  name: "cancel",
  about: "ms from a cancel to the interruption of the fiber in another process",
  run: async (ring, peers) => {
    const count = ring.full ? 1_000 : 200
    const seen = await ring.interleaved(peers, 1, (peer) =>
      ring.round(peer, async (place, caller) => {
        const worker = await ring.host(peer, "worker")
        const begun = new Set<number>()
        const off = worker.hear((told) => told.what === "started" && begun.add(told.n))
        await worker.ask("work", { place, ms: foreverMs, tell: true, concurrency: count, keep: true })
        const ids: Array<string> = []
        for (let n = 0; n < count; n++) ids.push((await caller.ask("one", { n })).id)
        for (let i = 0; i < 1_000 && begun.size < count; i++) await pause(5)
        const asked = await caller.ask("cancel", { ids, everyMs: 5 })
        await pause(300)
        off()
        const { stops } = await worker.ask("rest")
        if (stops.length < count)
          throw new Error(`${peer}: expected ${count} jobs to be interrupted, got ${stops.length}`)
        const took = stops.map(([n, at]) => at - (asked[n] ?? 0))
        return { p50: quantile(took, 0.5), p99: quantile(took, 0.99) }
      })
    )
    const base = { scenario: "cancel", unit: "ms", lessIsBetter: true }
    return [
      row(
        { ...base, metric: "cancel of a running fiber, p50" },
        pick(seen, (f) => f.p50)
      ),
      row(
        { ...base, metric: "cancel of a running fiber, p99", must: [{ atMost: 250 }] },
        pick(seen, (f) => f.p99)
      )
    ]
  }
}
