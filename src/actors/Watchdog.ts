/**
 * Sees that the event loop stands still, while it does: a thread that the loop ticks for. Promises one line on standard
 * error during a stall and one call afterwards, for a few nanoseconds per job. It renews no lease: a stall shorter than two
 * thirds of a lease loses no claim, since the heartbeat renews thrice per lease; a longer one hands the jobs over, and the
 * fence refuses what this worker says of them later. A loop that hangs for ever must not hold its jobs for ever.
 */
import { Worker } from "node:worker_threads"
import type { Held } from "./Held.ts"
import { threadFile } from "./threads/Files.ts"
import { type Shared, slots } from "./threads/Shared.ts"

/** Stalls of this process's event loop since the worker's start. */
export interface Stalls {
  count: number
  longestMs: number
  /** End of the last one, epoch ms; null where there was none. */
  lastAt: number | null
}

/** A job that ran during a stall. */
export interface Suspect {
  readonly id: string
  readonly task: string
  readonly ms: number
}

export interface Source {
  /** Jobs that run now. */
  readonly running: () => Iterable<Held>
  /** Called after a stall, with the jobs that ran in it (those that began it or are not over). */
  readonly stalled: (ms: number, running: ReadonlyArray<Suspect>) => void
}

/** How often the loop ticks, ms. */
const tickMs = 100
/** Running jobs that are told at most. */
const toldMax = 20
const textBytes = 16_384
const namesBytes = 65_536
const ringSize = 64

const encoder = new TextEncoder()

/** One per process, since there is one event loop. */
class Watchdog {
  readonly sources = new Set<Source>()
  readonly ready: Promise<void>
  private readonly shared: Shared
  private readonly control: Int32Array
  private readonly ring: Int32Array
  private readonly names = new Map<string, number>()
  private readonly timer: NodeJS.Timeout
  private readonly starting: NodeJS.Timeout
  private thread: Worker | undefined
  private last = performance.now()
  private before: ReadonlyArray<Suspect> = []
  private online = (): void => {}

  constructor(stallMs: number) {
    this.shared = {
      stallMs,
      control: new SharedArrayBuffer(8 * Int32Array.BYTES_PER_ELEMENT),
      text: new SharedArrayBuffer(textBytes),
      ring: new SharedArrayBuffer(ringSize * Int32Array.BYTES_PER_ELEMENT),
      tasks: new SharedArrayBuffer(namesBytes)
    }
    this.control = new Int32Array(this.shared.control)
    this.ring = new Int32Array(this.shared.ring)
    this.ready = new Promise((resolve) => void (this.online = resolve))
    this.timer = setInterval(() => this.tick(), tickMs).unref()
    // Whoever lives shorter than a stall has no use for a thread.
    this.starting = setTimeout(() => this.start(), Math.min(stallMs, 1_000)).unref()
  }

  /** A job begins. The hot path: two stores into shared memory. */
  readonly began = (task: string): void => {
    const started = this.control[slots.started] as number
    this.ring[started % ringSize] = this.names.get(task) ?? this.name(task)
    this.control[slots.started] = (started + 1) & 0x3fff_ffff
  }

  stop(): void {
    clearInterval(this.timer)
    clearTimeout(this.starting)
    void this.thread?.terminate()
  }

  private start(): void {
    this.thread = new Worker(threadFile("watchdog"), {
      name: "watchdog",
      workerData: this.shared
    })
    this.thread.once("online", this.online)
    // Without it only the sight of stalls is lost.
    this.thread.on("error", () => {})
    this.thread.unref()
  }

  private name(task: string): number {
    const index = this.names.size
    this.names.set(task, index)
    this.write(this.shared.tasks, slots.namesLength, [...this.names.keys()])
    return index
  }

  /** Writes JSON where it fits; what does not fit is told as nothing. */
  private write(buffer: SharedArrayBuffer, slot: number, value: ReadonlyArray<unknown>): void {
    const bytes = encoder.encode(JSON.stringify(value))
    const fits = bytes.length <= buffer.byteLength
    if (fits) new Uint8Array(buffer).set(bytes)
    Atomics.store(this.control, slot, fits ? bytes.length : 0)
  }

  private tick(): void {
    const now = performance.now()
    const gap = now - this.last
    this.last = now
    Atomics.add(this.control, slots.tick, 1)
    const running = this.running()
    if (Atomics.exchange(this.control, slots.told, 0) === 1) {
      const all = new Map([...this.before, ...running].map((r) => [r.id, r]))
      for (const source of this.sources) source.stalled(Math.round(gap), [...all.values()])
    }
    this.before = running
    this.control[slots.startedAtTick] = this.control[slots.started] as number
    this.write(this.shared.text, slots.textLength, running)
  }

  private running(): ReadonlyArray<Suspect> {
    const out: Array<Suspect> = []
    const now = Date.now()
    for (const source of this.sources) {
      for (const held of source.running()) {
        if (out.length === toldMax) return out
        if (!held.job.task.startsWith("@")) {
          out.push({ id: held.job.id, task: held.job.task, ms: now - held.startedAt })
        }
      }
    }
    return out
  }
}

let current: Watchdog | undefined

export interface Watch {
  /** To be called with the task of each job that begins. */
  readonly began: (task: string) => void
  /** Resolves once stalls are seen: about a second after the start. */
  readonly ready: Promise<void>
  readonly stop: () => void
}

/** Watches the loop for a worker until stopped. The first worker of a process decides how long a stall is. */
export const watch = (stallMs: number, source: Source): Watch => {
  const dog = (current ??= new Watchdog(stallMs))
  dog.sources.add(source)
  return {
    began: dog.began,
    ready: dog.ready,
    stop: () => {
      dog.sources.delete(source)
      if (dog.sources.size > 0) return
      dog.stop()
      if (current === dog) current = undefined
    }
  }
}
