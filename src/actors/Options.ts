/** What whoever starts a worker may say of it, and what holds where nothing is said. Pure. */
import { Duration } from "effect"
import { hostname } from "node:os"
import { type QueueName, queues } from "../jobs/JobQueue.ts"
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

/** All of a worker's options. */
export const complete = (o: Options): WorkerOptions => {
  const concurrency = Math.max(1, Math.floor(o.concurrency ?? 4))
  return {
    concurrency,
    prefetchMultiplier: o.prefetchMultiplier ?? 4,
    leaseMs: o.leaseMs ?? 5_000,
    queues: o.queues ?? queues,
    reserved: { ...reservedFor(concurrency, o.queues ?? queues), ...o.reserved },
    drainTimeoutMs:
      o.drainTimeout === undefined
        ? (o.drainTimeoutMs ?? 10_000)
        : Duration.toMillis(Duration.fromInputUnsafe(o.drainTimeout)),
    maxInFlight: o.maxInFlight ?? 10_000,
    readMax: o.readMax ?? 256,
    maxCrashes: Math.max(1, Math.floor(o.maxCrashes ?? 3)),
    threads: o.threads,
    stallMs: o.stallMs ?? 1_000,
    maxMemoryMb: o.maxMemoryMb,
    deadMaxAgeMs:
      o.deadMaxAge === undefined ? o.deadMaxAgeMs : Duration.toMillis(Duration.fromInputUnsafe(o.deadMaxAge)),
    maxResultBytes: o.maxResultBytes ?? Limits.defaults.maxResultBytes,
    resultApartOver: o.resultApartOver,
    trimEveryMs: o.trimEveryMs ?? 500,
    graceMs: o.graceMs ?? 10_000,
    version: o.version ?? "0",
    host: o.host ?? hostname()
  }
}

/** Permits reserved for a queue that is not served here would be lost. */
const reservedFor = (concurrency: number, served: ReadonlyArray<QueueName>): PerQueue => {
  const all = defaultReserved(concurrency)
  const of = (q: QueueName) => (served.includes(q) && served.length > 1 ? all[q] : 0)
  return { "high-priority": of("high-priority"), default: of("default"), "low-priority": of("low-priority") }
}
