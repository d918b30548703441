/**
 * The Redis server's time, as this process can tell it without asking each time. Promises that clocks of machines which are
 * wrong, or set while they run, change nothing: between two looks at the server the monotonic clock counts.
 */
import type { Client } from "./Redis.ts"

/** An answer that took longer tells too little, ms. */
const roundTripMaxMs = 1_000

export class ServerClock {
  /** Of the monotonic clock to the server's; of this machine's own until the server was asked. */
  private offsetMs = Date.now() - performance.now()

  /** Epoch ms. */
  now(): number {
    return performance.now() + this.offsetMs
  }

  /** Asks the server. */
  async look(client: Client): Promise<void> {
    const sent = performance.now()
    const [seconds, micros] = (await client.time()) as ReadonlyArray<unknown>
    const got = performance.now()
    if (got - sent > roundTripMaxMs) return
    this.offsetMs = Number(seconds) * 1_000 + Number(micros) / 1_000 - (sent + got) / 2
  }
}
