/** What a waiting job costs in memory. */
import { pause } from "../clock.ts"
import { pick, row } from "../Row.ts"
import type { Scenario } from "../Scenario.ts"

export const bytes: Scenario = {
  name: "bytes",
  about: "bytes of Redis per queued job, by used memory over 10,000 jobs",
  run: async (ring, peers) => {
    const count = 10_000
    const seen = await ring.interleaved(peers, 0, (peer) =>
      ring.round(peer, async (_, caller) => {
        await caller.ask("fill", { count: 1 })
        const before = await ring.server.bytes()
        await caller.ask("fill", { count, first: 1 })
        // The append-only file's buffer is written out.
        await pause(300)
        return { bytes: ((await ring.server.bytes()) - before) / count }
      })
    )
    const options = { scenario: "bytes", metric: "Redis bytes per queued job", unit: "B", lessIsBetter: true }
    return [
      row(
        { ...options, must: [{ atMost: 350 }] },
        pick(seen, (f) => f.bytes)
      )
    ]
  }
}
