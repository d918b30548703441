/**
 * The lines that the log list shows: stored ones loaded from history, then live ones in a ring. It promises bounded
 * memory at any rate (the ring drops its oldest) and one change per frame however many messages arrive. It knows nothing
 * of the screen; `schedule` decides what a frame is.
 */
import type { StoredEvent } from "../src/domain/LogEvent.ts"

/** One row: an event, or the notice that the server left lines out because they came too fast. */
export type Line =
  | { readonly key: number; readonly event: StoredEvent }
  | { readonly key: number; readonly skipped: number }

export interface View {
  readonly history: ReadonlyArray<Line>
  readonly live: ReadonlyArray<Line>
  /** Lines that arrived live since the page opened, shown or not; grows only. */
  readonly received: number
  /** The last change put lines in front, so that a list keeps the reader's place from its end. */
  readonly shifted: boolean
  /** The first snapshot has come, so that an empty list means: there is nothing. */
  readonly settled: boolean
}

export interface Lines {
  readonly get: () => View
  readonly subscribe: (listener: () => void) => () => void
  /** Live lines, oldest first. */
  readonly push: (events: ReadonlyArray<StoredEvent>) => void
  readonly skip: (count: number) => void
  /** The newest lines as a whole, in place of the live ones. */
  readonly snapshot: (events: ReadonlyArray<StoredEvent>) => void
  /** A page of stored lines, newest first as the API gives them, put in front of what is shown. */
  readonly older: (events: ReadonlyArray<StoredEvent>) => void
  readonly clear: () => void
}

export interface LinesOptions {
  /** Live lines kept. */
  readonly capacity: number
  /** Stored lines kept; a page beyond it is refused by the caller, and cut here. */
  readonly historyMax: number
  readonly schedule: (flush: () => void) => void
}

const idsOf = (lines: ReadonlyArray<Line>): Set<string> =>
  new Set(lines.flatMap((line) => ("event" in line ? [line.event.id] : [])))

const withoutThose = (history: ReadonlyArray<Line>, live: ReadonlyArray<Line>): ReadonlyArray<Line> => {
  if (history.length === 0) return history
  const ids = idsOf(live)
  return history.filter((line) => !("event" in line) || !ids.has(line.event.id))
}

export const makeLines = ({ capacity, historyMax, schedule }: LinesOptions): Lines => {
  const none: View = { history: [], live: [], received: 0, shifted: false, settled: false }
  const listeners = new Set<() => void>()
  let view = none
  let pending: Array<Line> = []
  let arrived = 0
  let scheduled = false
  let keys = 0

  const keyed = (event: StoredEvent): Line => ({ key: keys++, event })
  const show = (next: View): void => {
    view = next
    for (const listener of listeners) listener()
  }
  const flush = (): void => {
    scheduled = false
    if (pending.length === 0) return
    const all = view.live.concat(pending)
    const over = all.length > capacity
    const received = view.received + arrived
    pending = []
    arrived = 0
    // Once the ring drops lines, history would no longer touch it: it goes first.
    show({
      ...view,
      history: over ? [] : view.history,
      live: over ? all.slice(-capacity) : all,
      received,
      shifted: false
    })
  }
  const queue = (count: number): void => {
    arrived += count
    if (pending.length > capacity * 2) pending = pending.slice(-capacity)
    if (scheduled) return
    scheduled = true
    schedule(flush)
  }

  return {
    get: () => view,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    push: (events) => {
      for (const event of events) pending.push(keyed(event))
      queue(events.length)
    },
    skip: (count) => {
      pending.push({ key: keys++, skipped: count })
      queue(count)
    },
    snapshot: (events) => {
      pending = []
      const live = events.slice(-capacity).map(keyed)
      const received = view.received + arrived
      arrived = 0
      show({ history: withoutThose(view.history, live), live, received, shifted: false, settled: true })
    },
    older: (events) => {
      const known = idsOf(view.live)
      for (const id of idsOf(view.history)) known.add(id)
      const fresh = events.filter((event) => !known.has(event.id)).map(keyed)
      fresh.reverse()
      show({ ...view, history: fresh.concat(view.history).slice(-historyMax), shifted: true, settled: true })
    },
    clear: () => {
      pending = []
      arrived = 0
      show({ ...none, received: view.received })
    }
  }
}
