/**
 * Worker processes, each on a wire of its own, and what may be done to them. Promises that every harm is in the ledger with
 * its time, and that a worker harmed twice at once is whole again only when both harms are over.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { makeWire, type Wire } from "../support/proxy.ts"
import { nowMs } from "./Clock.ts"
import type { Ledger } from "./Ledger.ts"
import type { Orders } from "./worker.ts"

const file = fileURLToPath(new URL("worker.ts", import.meta.url))
const skew = new URL("skew.ts", import.meta.url).href

/** How long a worker may take to serve, or to end when it is told to stop, ms. */
const startMaxMs = 30_000
const stopMaxMs = 15_000

export interface Member {
  readonly worker: number
  readonly wire: Wire
  readonly start: () => Promise<void>
  /** kill -9. */
  readonly kill: () => Promise<void>
  /** SIGTERM, and waits for its graceful end. */
  readonly stop: () => Promise<void>
  readonly signal: (name: "SIGSTOP" | "SIGCONT") => void
  readonly skew: (ms: number) => void
}

export const makeMember = async (orders: Omit<Orders, "url">, serverUrl: string, ledger: Ledger): Promise<Member> => {
  const wire = await makeWire(serverUrl)
  let child: ChildProcess | undefined
  const end = async (signal: NodeJS.Signals, how: "killed" | "stopped"): Promise<void> => {
    const gone = child
    if (gone === undefined) return
    child = undefined
    const exit = once(gone, "exit")
    const harm = ledger.harm(how, orders.worker)
    gone.kill(signal)
    const late = setTimeout(() => gone.kill("SIGKILL"), stopMaxMs)
    await exit
    clearTimeout(late)
    harm()
    ledger.deaths.set(gone.pid ?? 0, { worker: orders.worker, at: nowMs(), how })
  }
  const start = async (): Promise<void> => {
    if (child !== undefined) return
    const told: Orders = { ...orders, url: wire.url }
    const born = spawn(process.execPath, ["--no-warnings", "--import", skew, file, JSON.stringify(told)], {
      stdio: ["ignore", "pipe", "inherit", "ipc"]
    })
    child = born
    // Without a reader its log would fill the pipe and hold it up.
    const ready = once(born.stdout as NodeJS.ReadableStream, "data", { signal: AbortSignal.timeout(startMaxMs) })
    born.stdout?.resume()
    await Promise.race([ready, once(born, "exit")])
  }
  return {
    worker: orders.worker,
    wire,
    start,
    kill: () => end("SIGKILL", "killed"),
    stop: () => end("SIGTERM", "stopped"),
    signal: (name) => void child?.kill(name),
    skew: (ms) => void child?.send?.({ skewMs: ms }, () => {})
  }
}
