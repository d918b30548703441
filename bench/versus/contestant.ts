/**
 * A process of one contestant. Carries out what its parent asks, one request at a time, and answers with the figures that
 * only it can know: its own CPU, and when its handlers began. Measures, but judges nothing.
 */
import { contestants } from "./all.ts"
import { now, pause, within } from "./clock.ts"
import type { Addition, Caller, Done, Payload, Place, Working } from "./Peer.ts"

const peer = contestants[process.argv[2] ?? ""]
if (peer === undefined) throw new Error(`expected a contestant, got ${process.argv[2]}`)

const text = "x".repeat(70)
const additionOf = (n: number, rest: Omit<Addition, "payload"> = {}): Addition => ({ payload: { n, text }, ...rest })

/** A parent that has gone hears nothing; this process ends with it. */
const tell = (message: object): void => {
  if (process.connected) process.send?.(message, () => {})
}

let caller: Caller | undefined
let working: Working | undefined
let ticking: NodeJS.Timeout | undefined
let cpuBefore = 0
/** When handlers began, by n; only where the scenario asks. */
let starts: Array<readonly [n: number, at: number]> = []
let stops: Array<readonly [n: number, at: number]> = []

const cpu = (): number => {
  const { system, user } = process.cpuUsage()
  return user + system + (working?.cpu?.() ?? 0)
}
const theCaller = (): Caller => {
  if (caller === undefined) throw new Error("expected `call` before")
  return caller
}
const measured = async (count: number, run: () => Promise<unknown>) => {
  const [before, from] = [cpu(), now()]
  await run()
  return { perSecond: (count * 1_000) / (now() - from), cpuUs: cpu() - before }
}

export interface WorkRequest {
  readonly place: Place
  readonly concurrency?: number
  readonly defaults?: boolean
  /** How long a job takes; default nothing at all. */
  readonly ms?: number
  /** Keep when each job began and was interrupted. */
  readonly keep?: boolean
  /** Tell the parent of every start and end at once. */
  readonly tell?: boolean
}

const handlerOf = ({ keep, ms, tell: telling }: WorkRequest) => {
  const note = (what: "started" | "ended", n: number, at: number) => {
    if (telling === true) tell({ what, n, at })
  }
  if (ms === undefined) {
    return ({ n }: Payload): Done => {
      const at = now()
      if (keep === true) starts.push([n, at])
      note("started", n, at)
      return { n, at }
    }
  }
  return ({ n }: Payload, signal?: AbortSignal): Promise<Done> => {
    const at = now()
    if (keep === true) starts.push([n, at])
    note("started", n, at)
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        note("ended", n, now())
        resolve({ n, at })
      }, ms)
      signal?.addEventListener("abort", () => {
        clearTimeout(timer)
        stops.push([n, now()])
      })
    })
  }
}

const bulk = 1_000

const operations = {
  call: async (place: Place) => {
    caller = await peer.call(place)
  },
  close: async () => {
    await caller?.close()
    caller = undefined
  },
  /** Adds jobs first … first + count − 1 in bulk. */
  fill: ({ count, first = 0, ...rest }: { count: number; first?: number } & Omit<Addition, "payload">) =>
    measured(count, async () => {
      for (let i = 0; i < count; i += bulk) {
        const size = Math.min(bulk, count - i)
        await theCaller().addMany(Array.from({ length: size }, (_, k) => additionOf(first + i + k, rest)))
      }
    }),
  /** Adds jobs that fall due one after another, `everyMs` apart, the first in `leadMs`; answers when each is due. */
  fillDelayed: async ({ count, everyMs, leadMs }: { count: number; everyMs: number; leadMs: number }) => {
    const due = Array.from({ length: count }, (_, n) => now() + leadMs + n * everyMs)
    for (let i = 0; i < count; i += bulk) {
      const at = now()
      await theCaller().addMany(
        due.slice(i, i + bulk).map((d, k) => additionOf(i + k, { delayMs: Math.max(1, Math.round(d - at)) }))
      )
    }
    return due
  },
  one: async (rest: Omit<Addition, "payload"> & { n: number }) => {
    const at = now()
    return { at, id: await theCaller().add(additionOf(rest.n, rest)) }
  },
  /** `callers` add one after the other, all at the same time. */
  enqueue: ({ callers, count }: { callers: number; count: number }) =>
    measured(count, async () => {
      let n = 0
      const each = async () => {
        while (n < count) await theCaller().add(additionOf(n++))
      }
      await Promise.all(Array.from({ length: callers }, each))
    }),
  /** Awaits empty round trips, one after the other; undefined where the contestant offers none. */
  ping: async ({ count }: { count: number }) => {
    const { ping } = theCaller()
    if (ping === undefined) return undefined
    return measured(count, async () => {
      for (let i = 0; i < count; i++) await ping()
    })
  },
  /** Adds at a steady rate and waits for every result. */
  latency: async ({ count, patienceMs, perSecond }: { count: number; perSecond: number; patienceMs: number }) => {
    const { add, result } = theCaller()
    if (result === undefined) throw new Error("expected a contestant that tells results")
    const toStart: Array<number> = []
    const toResult: Array<number> = []
    const open: Array<Promise<void>> = []
    const from = now()
    for (let n = 0; n < count; n++) {
      while (now() < from + (n * 1_000) / perSecond) await pause(1)
      const at = now()
      const one = async () => {
        const done = await result(await add(additionOf(n)))
        toResult.push(now() - at)
        toStart.push(done.at - at)
      }
      open.push(within(patienceMs, "a result", one()).catch(() => {}))
    }
    await Promise.all(open)
    return { toStart, toResult, missed: count - toResult.length }
  },
  cancel: async ({ ids, everyMs }: { ids: ReadonlyArray<string>; everyMs: number }) => {
    const at: Array<number> = []
    for (const id of ids) {
      at.push(now())
      await theCaller().cancel?.(id)
      await pause(everyMs)
    }
    return at
  },
  purge: async () => {
    const from = now()
    await theCaller().purge?.()
    return now() - from
  },
  /** Starts to work. Tells the parent how many jobs are settled whenever that has changed. */
  work: async (request: WorkRequest) => {
    starts = []
    stops = []
    let from = now()
    cpuBefore = cpu()
    working = await peer.work(request.place, {
      concurrency: request.concurrency,
      defaults: request.defaults === true,
      handle: handlerOf(request)
    })
    // A contestant in processes of its own is long in starting; its clock runs from when it is up.
    if (working.cpu !== undefined) from = now()
    let told = 0
    ticking = setInterval(() => {
      const settled = working?.settled() ?? 0
      if (settled === told) return
      told = settled
      tell({ what: "settled", n: settled, at: now(), cpuUs: cpu() - cpuBefore })
    }, 5)
    return from
  },
  rest: async () => {
    clearInterval(ticking)
    await working?.stop()
    working = undefined
    return { starts, stops }
  }
}
export type Operations = typeof operations

process.on("message", ({ argument, id, op }: { id: number; op: keyof Operations; argument: never }) => {
  const answer = async () => operations[op](argument)
  answer().then(
    (value) => tell({ id, value }),
    (error: unknown) => tell({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  )
})
process.on("disconnect", () => process.exit(0))
tell({ what: "ready" })
