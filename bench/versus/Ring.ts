/**
 * What a scenario works with: the processes of the contestants, kept from round to round so that all of them are warm, the
 * bench's own Redis, and a fresh room for every round. Rounds are interleaved and the first is not counted.
 */
import { median } from "../Bench.ts"
import { Host, type Told } from "./Host.ts"
import type { WorkRequest } from "./contestant.ts"
import type { Place } from "./Peer.ts"
import { Server } from "./Server.ts"

export interface RingOptions {
  readonly redisUrl: string
  readonly databaseUrl: string
  /** Many times the jobs and rounds. */
  readonly full: boolean
  readonly log: (line: string) => void
}

export class Ring {
  readonly options: RingOptions
  readonly server: Server
  private readonly hosts = new Map<string, Host>()
  private rooms = 0

  constructor(options: RingOptions) {
    this.options = options
    this.server = new Server(options.redisUrl, options.databaseUrl)
  }

  get full(): boolean {
    return this.options.full
  }

  place(): Place {
    const { databaseUrl, redisUrl } = this.options
    return { databaseUrl, redisUrl, room: `b${++this.rooms}` }
  }

  /** The contestant's process of that role, started when first asked for. */
  async host(peer: string, role: string): Promise<Host> {
    const name = `${peer} ${role}`
    const known = this.hosts.get(name)
    if (known !== undefined && known.child.connected) return known
    const host = await Host.start(peer)
    this.hosts.set(name, host)
    return host
  }

  /** Empties the servers and opens a caller in a fresh room. */
  async round<A>(peer: string, body: (place: Place, caller: Host) => Promise<A>): Promise<A> {
    await this.server.clear()
    const place = this.place()
    const caller = await this.host(peer, "caller")
    await caller.ask("call", place)
    try {
      return await body(place, caller)
    } finally {
      await caller.ask("close").catch(() => {})
    }
  }

  /**
   * One round of each contestant in turn, `rounds` times after one to warm up (0 = a single one that counts); a contestant's
   * median of each figure.
   */
  async interleaved<K extends string>(
    peers: ReadonlyArray<string>,
    rounds: number,
    measure: (peer: string) => Promise<Record<K, number>>
  ): Promise<ReadonlyMap<string, Record<K, number>>> {
    const seen = new Map<string, Array<Record<K, number>>>(peers.map((p) => [p, []]))
    for (let round = 0; round <= rounds; round++) {
      for (const peer of peers) {
        const figures = await measure(peer)
        if (round > 0 || rounds === 0) seen.get(peer)?.push(figures)
        const shown = Object.entries(figures).map(([k, v]) => `${k} ${round3(v as number)}`)
        this.options.log(`  ${round === 0 && rounds > 0 ? "warm-up" : `round ${round}`} ${peer}: ${shown.join(", ")}`)
      }
    }
    return new Map(
      [...seen].map(([peer, all]) => {
        const keys = Object.keys(all[0] ?? {}) as Array<K>
        return [peer, Object.fromEntries(keys.map((k) => [k, median(all.map((f) => f[k]))])) as Record<K, number>]
      })
    )
  }

  /** Lets workers empty a room that holds `count` jobs, and stops them. */
  async drain(place: Place, workers: ReadonlyArray<Host>, count: number, request: Omit<WorkRequest, "place"> = {}) {
    const server = await this.server.cpuUs()
    const settled = new Map<Host, Told>()
    const offs: Array<() => void> = []
    const all = new Promise<number>((resolve) => {
      for (const worker of workers) {
        offs.push(
          worker.hear((told) => {
            if (told.what !== "settled") return
            settled.set(worker, told)
            if ([...settled.values()].reduce((sum, t) => sum + t.n, 0) >= count) resolve(told.at)
          })
        )
      }
    })
    const from = await Promise.all(workers.map((w) => w.ask("work", { place, ...request })))
    const until = await all
    const serverUs = (await this.server.cpuUs()) - server
    for (const off of offs) off()
    const kept = await Promise.all(workers.map((w) => w.ask("rest")))
    const workerUs = [...settled.values()].reduce((sum, t) => sum + t.cpuUs, 0)
    return {
      perSecond: (count * 1_000) / (until - Math.min(...from)),
      workerUs: workerUs / count,
      serverUs: serverUs / count,
      starts: kept.flatMap((k) => k.starts)
    }
  }

  close(): void {
    for (const host of this.hosts.values()) host.stop()
    this.server.close()
  }
}

const round3 = (n: number): string => (Math.abs(n) >= 100 ? Math.round(n).toLocaleString("en") : n.toFixed(2))
