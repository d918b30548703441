/** Runs scenarios with the contestants that can, on a Redis of the bench's own, and says why the others have no figure. */
import { startThrowaway } from "../../scripts/launch/throwaway.mjs"
import { contestants } from "./all.ts"
import { Ring } from "./Ring.ts"
import type { Row } from "./Row.ts"
import type { Scenario } from "./Scenario.ts"

export interface RunOptions {
  readonly scenarios: ReadonlyArray<Scenario>
  /** Contestants beside ourselves. */
  readonly peers: ReadonlyArray<string>
  readonly full: boolean
  readonly log: (line: string) => void
  /** Called after each scenario with all rows so far. */
  readonly kept: (rows: ReadonlyArray<Row>) => void
}

const reasonOf = (peer: string, scenario: Scenario): string | undefined =>
  contestants[peer]?.absent?.() ?? contestants[peer]?.cannot[scenario.name]

export const runScenarios = async (options: RunOptions): Promise<ReadonlyArray<Row>> => {
  // Whose CPU, memory and time in scripts are measured must be nobody else's.
  const { stop, ...urls } = await startThrowaway({ ...process.env, REDIS_URL: undefined })
  const ring = new Ring({
    redisUrl: urls.REDIS_URL,
    databaseUrl: urls.DATABASE_URL,
    full: options.full,
    log: options.log
  })
  const rows: Array<Row> = []
  try {
    for (const scenario of options.scenarios) {
      const all = ["loglytics", ...options.peers]
      const notes = Object.fromEntries(
        all.flatMap((peer) => {
          const reason = reasonOf(peer, scenario)
          return reason === undefined ? [] : [[peer, reason] as const]
        })
      )
      options.log(`${scenario.name}: ${scenario.about}`)
      for (const [peer, reason] of Object.entries(notes)) options.log(`  without ${peer}: ${reason}`)
      const from = performance.now()
      const found = await scenario.run(
        ring,
        all.filter((peer) => notes[peer] === undefined)
      )
      options.log(`  ${((performance.now() - from) / 1_000).toFixed(0)} s`)
      rows.push(...found.map((r) => ({ ...r, notes })))
      options.kept(rows)
    }
    return rows
  } finally {
    ring.close()
    await stop()
  }
}
