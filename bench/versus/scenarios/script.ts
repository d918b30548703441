/**
 * How long scripts hold Redis with very many jobs in it. Redis itself keeps the time of every EVALSHA (its latency histogram,
 * precise to 1 %), on a server that nobody else uses and that goes before all other processes where the bench may say so.
 * What it counts is time on the clock: a script that the machine puts aside all the same is counted with its wait.
 * A script of fixed work that runs beside them tells how much of that there was.
 */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import type { Ring } from "../Ring.ts"
import { pick, row } from "../Row.ts"
import type { Scenario } from "../Scenario.ts"

/** Our own scripts by the digest of their text. */
const names = (): ReadonlyMap<string, string> => {
  const folder = new URL("../../../src/streams/scripts/", import.meta.url)
  const files = readdirSync(folder).filter((file) => file.endsWith(".lua"))
  return new Map(
    files.map((f) => [
      createHash("sha1")
        .update(readFileSync(new URL(f, folder)))
        .digest("hex"),
      f
    ])
  )
}

const tell = (ring: Ring, what: string, slow: ReadonlyArray<readonly [string, number]>): void => {
  const known = names()
  const worst = slow.slice(0, 5).map(([digest, us]) => `${known.get(digest) ?? digest.slice(0, 8)} ${us / 1_000} ms`)
  if (worst.length > 0) ring.options.log(`  ${what}, longest of each script over 1 ms: ${worst.join(", ")}`)
}

export const script: Scenario = {
  name: "script",
  about: "ms that scripts hold Redis while jobs are added, delayed, drained and purged with 10^5 (--full: 10^6) in it",
  run: async (ring, peers) => {
    const resident = ring.full ? 1_000_000 : 100_000
    const busy = 10_000
    const seen = await ring.interleaved(peers, ring.full ? 1 : 0, (peer) =>
      ring.round(peer, async (place, caller) => {
        await ring.server.resetScriptTimes()
        const stop = ring.server.startReference()
        await caller.ask("fill", { count: resident })
        await caller.ask("fillDelayed", { count: busy, everyMs: 0.2, leadMs: 100 })
        const worker = await ring.host(peer, "worker")
        await ring.drain(place, [worker], busy * 2)
        stop()
        const run = await ring.server.scriptTimes()
        const fixed = await ring.server.scriptTimes("eval_ro")
        tell(ring, peer, await ring.server.slowScripts())
        await ring.server.resetScriptTimes()
        await caller.ask("purge")
        const purge = await ring.server.scriptTimes()
        tell(ring, `${peer}, purge`, await ring.server.slowScripts())
        const { calls, max, p50, p99, p999 } = run
        return {
          calls,
          p50,
          p99,
          p999,
          max,
          purge: purge.max,
          fixed50: fixed.p50,
          fixed999: fixed.p999,
          fixed: fixed.max
        }
      })
    )
    const base = { scenario: "script", unit: "ms", lessIsBetter: true }
    return [
      row(
        { ...base, metric: "scripts, p99" },
        pick(seen, (f) => f.p99 / 1_000)
      ),
      row(
        { ...base, metric: "scripts, p99.9", must: [{ atMost: 1 }] },
        pick(seen, (f) => f.p999 / 1_000)
      ),
      row(
        { ...base, metric: "scripts, longest", must: [{ atMost: 5 }] },
        pick(seen, (f) => f.max / 1_000)
      ),
      row(
        { ...base, metric: "scripts, longest of a purge", must: [{ atMost: 5 }] },
        pick(seen, (f) => f.purge / 1_000)
      )
    ]
  }
}
