/** What whoever starts a worker may say of it, and what holds where nothing is said. Pure. */
import type { Duration } from "effect"
import { hostname } from "node:os"
import { type QueueName, queues } from "../jobs/JobQueue.ts"
import { millis } from "../jobs/Millis.ts"
import * as Limits from "../streams/Limits.ts"
import { defaultReserved, type PerQueue } from "./Share.ts"
import type { WorkerOptions } from "./Worker.ts"

export interface Options extends Partial<Omit<WorkerOptions, "reserved">> {
  readonly reserved?: Partial<PerQueue>
  /** As `drainTimeoutMs`, in any form. */
  readonly drainTimeout?: Duration.Input
  /** As `deadMaxAgeMs`, in any form. */
  readonly deadMaxAge?: Duration.Input
}

/** The least that an option may be. What is no number at all is refused, too. */
const least = {
  concurrency: 1,
  prefetchMultiplier: 0,
  leaseMs: 100,
  drainTimeoutMs: 0,
  maxInFlight: 1,
  readMax: 1,
  maxCrashes: 1,
  stallMs: 0,
  threads: 1,
  maxMemoryMb: 1,
  deadMaxAgeMs: 1,
  maxResultBytes: 1,
  resultApartOver: 0,
  trimEveryMs: 1,
  graceMs: 0
} as const satisfies { readonly [K in keyof WorkerOptions]?: number }

/** Throws where an option makes no sense: a worker that never takes a job would look like one that has nothing to do. */
const checked = (o: WorkerOptions): WorkerOptions => {
  for (const [name, min] of Object.entries(least)) {
    const value = o[name as keyof typeof least]
    if (value !== undefined && !(value >= min)) {
      throw new RangeError(`worker option ${name}: expected a number, ${min} or more, got ${value}`)
    }
  }
  const strange = o.queues.find((name) => !queues.includes(name))
  if (strange !== undefined || o.queues.length === 0) {
    throw new RangeError(`worker option queues: expected some of ${queues.join(", ")}, got ${strange ?? "none"}`)
  }
  return o
}

/** All of a worker's options. Throws where one makes no sense. */
export const complete = (o: Options): WorkerOptions => {
  const concurrency = Math.floor(o.concurrency ?? 4)
  return checked({
    concurrency,
    prefetchMultiplier: o.prefetchMultiplier ?? 4,
    leaseMs: o.leaseMs ?? 5_000,
    queues: o.queues ?? queues,
    reserved: { ...reservedFor(concurrency, o.queues ?? queues), ...o.reserved },
    drainTimeoutMs: o.drainTimeout === undefined ? (o.drainTimeoutMs ?? 10_000) : millis(o.drainTimeout),
    maxInFlight: o.maxInFlight ?? 10_000,
    readMax: o.readMax ?? 256,
    maxCrashes: Math.floor(o.maxCrashes ?? 3),
    threads: o.threads,
    stallMs: o.stallMs ?? 1_000,
    maxMemoryMb: o.maxMemoryMb,
    deadMaxAgeMs: o.deadMaxAge === undefined ? o.deadMaxAgeMs : millis(o.deadMaxAge),
    maxResultBytes: o.maxResultBytes ?? Limits.defaults.maxResultBytes,
    resultApartOver: o.resultApartOver,
    trimEveryMs: o.trimEveryMs ?? 500,
    graceMs: o.graceMs ?? 10_000,
    version: o.version ?? "0",
    host: o.host ?? hostname()
  })
}

/** Permits reserved for a queue that is not served here would be lost. */
const reservedFor = (concurrency: number, served: ReadonlyArray<QueueName>): PerQueue => {
  const all = defaultReserved(concurrency)
  const of = (q: QueueName) => (served.includes(q) && served.length > 1 ? all[q] : 0)
  return { "high-priority": of("high-priority"), default: of("default"), "low-priority": of("low-priority") }
}
