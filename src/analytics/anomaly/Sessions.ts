/**
 * Lines that belong together, by trace id or by an attribute, as sessions of events. Promises that a session is judged once, when it
 * has been silent for long enough, if it is no longer than a window looks back, and that memory is bounded.
 */

/** A line as far as sessions need it. */
export interface SessionLine {
  /** Epoch ms. */
  readonly time: number
  /** Trace id or attribute; undefined: the line belongs to no session. */
  readonly key: string | undefined
  /** Id of its template; 0 for a line without. */
  readonly event: number
}

export interface Session {
  readonly key: string
  readonly from: number
  readonly to: number
  readonly events: ReadonlyArray<number>
  /** Indexes of its lines as they were given. */
  readonly lines: ReadonlyArray<number>
}

export interface SessionOptions {
  /** Sessions that were over by then were judged before; those over by `to` are judged now. Epoch ms. */
  readonly since: number
  readonly to: number
  /** A session is over when nothing of it came for so long, ms. */
  readonly idleMs: number
}

/** Sessions at once, and lines of one; more are left out. */
const sessionsMax = 20_000
const linesMax = 2_000

/** The sessions that ended in the window, in the order of their ends. `lines` are in the order of their times. */
export const sessionsOf = (lines: ReadonlyArray<SessionLine>, options: SessionOptions): ReadonlyArray<Session> => {
  const { idleMs, since, to } = options
  interface Open {
    key: string
    from: number
    to: number
    events: Array<number>
    lines: Array<number>
  }
  const open = new Map<string, Open>()
  const ended: Array<Session> = []
  const end = (one: Open): void => {
    if (one.to + idleMs > since && one.to + idleMs <= to) ended.push(one)
  }
  for (const [index, { event, key, time }] of lines.entries()) {
    if (key === undefined || key === "" || event === 0) continue
    let one = open.get(key)
    if (one !== undefined && time - one.to > idleMs) {
      end(one)
      open.delete(key)
      one = undefined
    }
    if (one === undefined) {
      if (open.size >= sessionsMax) continue
      one = { key, from: time, to: time, events: [], lines: [] }
      open.set(key, one)
    }
    one.to = Math.max(one.to, time)
    if (one.events.length < linesMax) {
      one.events.push(event)
      one.lines.push(index)
    }
  }
  for (const one of open.values()) end(one)
  return ended.toSorted((a, b) => a.to - b.to || (a.key < b.key ? -1 : 1))
}
