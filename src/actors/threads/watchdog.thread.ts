/**
 * Watches the main loop from a thread of its own. Promises one line on standard error while the loop stands still, with the
 * jobs that run; it writes nothing to Redis and renews no lease (see `../Watchdog.ts`).
 */
import { writeSync } from "node:fs"
import { workerData } from "node:worker_threads"
import { type Shared, slots } from "./Shared.ts"

const { control, ring, stallMs, tasks: names, text } = workerData as Shared
const word = new Int32Array(control)
const started = new Int32Array(ring)
const decoder = new TextDecoder()
const names32 = new Uint8Array(names)
const every = Math.max(20, Math.min(250, stallMs / 4))

/** A string of shared memory: its length in bytes stands in a slot. */
const read = (bytes: Uint8Array, length: number): unknown => {
  try {
    // Shared memory can't be decoded as it lies.
    return JSON.parse(decoder.decode(bytes.slice(0, length))) as unknown
  } catch {
    // Caught in the middle of a write.
    return []
  }
}

/** Names of the tasks begun since the last tick, newest first. */
const begun = (): ReadonlyArray<string> => {
  const all = read(names32, Atomics.load(word, slots.namesLength)) as ReadonlyArray<string>
  const count = Atomics.load(word, slots.started)
  const since = Math.max(Atomics.load(word, slots.startedAtTick), count - started.length)
  const out = new Set<string>()
  for (let i = count - 1; i >= since; i--) out.add(all[started[i % started.length] ?? 0] ?? "?")
  return [...out]
}

let tick = -1
let since = performance.now()
let looked = since
let told = false

setInterval(() => {
  const now = performance.now()
  const asleep = now - looked > every + stallMs / 2
  looked = now
  const current = Atomics.load(word, slots.tick)
  // A process that was stopped or starved as a whole tells nothing of its loop.
  if (current !== tick || asleep) {
    tick = current
    since = now
    told = false
    return
  }
  if (told || now - since < stallMs) return
  told = true
  Atomics.store(word, slots.told, 1)
  const line = {
    level: "warn",
    message: "the event loop stands still",
    at: new Date().toISOString(),
    pid: process.pid,
    stalledMs: Math.round(now - since),
    running: read(new Uint8Array(text), Atomics.load(word, slots.textLength)),
    begun: begun()
  }
  writeSync(2, `${JSON.stringify(line)}\n`)
}, every)
