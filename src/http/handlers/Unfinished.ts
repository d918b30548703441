/**
 * Remembers requests of which only a part was taken, until they come again: a shipper that hears "busy" sends the same bytes
 * once more, and what is in the stream already must not be added twice. Two requests alike that both succeed are two. In
 * this process only; a sender that wants more gives an Idempotency-Key.
 */

/** Requests that are remembered, the newest. */
const entriesMax = 1_000
/** How long, ms: longer than shippers wait between two tries. */
const keptMs = 600_000

export interface Unfinished {
  /** How many of the events of this request were taken before. */
  readonly taken: (name: string, now: number) => number
  readonly leave: (name: string, now: number, taken: number) => void
  readonly forget: (name: string) => void
}

export const makeUnfinished = (): Unfinished => {
  const entries = new Map<string, { readonly taken: number; readonly until: number }>()
  return {
    taken: (name, now) => {
      const found = entries.get(name)
      return found === undefined || found.until < now ? 0 : found.taken
    },
    leave: (name, now, taken) => {
      entries.delete(name)
      if (taken === 0) return
      if (entries.size >= entriesMax) entries.delete(entries.keys().next().value!)
      entries.set(name, { taken, until: now + keptMs })
    },
    forget: (name) => void entries.delete(name)
  }
}
