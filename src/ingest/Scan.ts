/**
 * Where a cloud has been read, and what of the next page is new. Clouds answer by event time, sorted, while events come late;
 * so each scan begins a stretch before the last one's end (the overlap, which grows with the lateness seen), and every hour
 * the last day is scanned again. An event is handed out unless it was, and that is known without keeping every id: each
 * minute of event time bears a mark, the server's time at which the last scan that covered it began. Whatever was ingested
 * `settleMs` before that mark was visible to that scan, so it has been handed out; the ids of all others are kept (Seen.ts).
 *
 * The server's time is taken from what it says itself, the newest ingestion seen, so that our own clock may be wrong:
 * hours behind does no harm, `skewMaxMs` ahead neither. What is assumed of a cloud: an event can be seen `settleMs` after its
 * ingestion time at the latest. What comes later than `rescanMs` (less an hour) after its own time is not found.
 *
 * Limits: `idsMax` ids are kept. Beyond them the oldest go first and `settleMs` shrinks towards nothing for what they stood
 * for; above about 800 new lines a second a line can then be missed that is seen late, or, where a minute holds more than
 * `idsMax` lines, come twice. All of this is pure; a state is never changed once it is handed out.
 */
import * as Seen from "./Seen.ts"

const { minute } = Seen

export interface Options {
  /** How far back scans are repeated, ms; 0: never. */
  readonly rescanMs: number
  /** How far before its making a connection begins, ms. */
  readonly historyMs: number
  /** For tests; `idsMax` when not given. */
  readonly ids?: number
}

/** An event is visible this long after its ingestion at the latest, ms. */
export const settleMs = 2 * minute
/** A scan begins at least this long before the end of the last, ms, */
export const overlapMinMs = 5 * minute
/** and at most this long. */
export const overlapMaxMs = 60 * minute
/** How far our clock may be ahead of the server's, ms. */
export const skewMaxMs = 60 * minute
/** A scan of the whole of `rescanMs` begins this often, ms, */
export const rescanEveryMs = 60 * minute
/** and is given up when it takes longer than this, ms. */
const rescanLongestMs = 6 * 60 * minute
/** A server whose clock is said to be further ahead of ours than this is not believed, ms. */
const aheadMaxMs = 24 * 60 * minute
/** Ids kept at most. */
export const idsMax = 250_000
/** Event time of one scan at most, ms: while far behind, and otherwise. */
const strideFarMs = 60 * minute
const strideNearMs = 15 * minute
/** Times that one window may begin anew since its token was refused. */
const restartsMax = 5
/** A new scan begins when the last one's end is this far back, ms; until then there is time for the repeated one. */
const pauseMs = 20_000

/** Event times [from, to) that are being read, page by page. */
export interface Window {
  readonly from: number
  readonly to: number
  /** The server's time when it began, or earlier. */
  readonly at: number
  readonly token?: string | undefined
  readonly restarts: number
  /** Our time when it began. */
  readonly began: number
}

export interface State {
  /** Nothing before this is asked for. */
  readonly start: number
  /** Event time up to which all was read at least once. */
  readonly until: number
  /** The newest ingestion seen: the server's clock was here. */
  readonly newest: number
  /** The mark of the last scan that ended. */
  readonly front: number
  /** Minute → mark. */
  readonly marks: ReadonlyMap<number, number>
  readonly seen: Seen.Seen
  /** Ids ingested up to here were forgotten for want of room. */
  readonly floor: number
  /** How many events were how late: the n-th number counts those up to 2ⁿ s. */
  readonly late: ReadonlyArray<number>
  readonly window?: Window | undefined
  readonly again?: Window | undefined
  /** Our time when the last repeated scan began. */
  readonly rescanned: number
  /** Event time at which the last repeated scan that came to its end had ended. */
  readonly repeatedTo: number
  /** Before this event time marks and ids are forgotten, and nothing is asked for again. Never falls. */
  readonly line: number
}

/** What a page says of an event, ms. */
export interface Stamp {
  readonly id: string
  readonly time: number
  readonly ingested: number
}

export interface Page<A extends Stamp> {
  /** Sorted by time, as far as the cloud keeps its word. */
  readonly items: ReadonlyArray<A>
  /** There are more pages; the page itself may be empty. */
  readonly token?: string | undefined
}

export interface Took<A extends Stamp> {
  readonly fresh: ReadonlyArray<A>
  readonly state: State
  readonly more: boolean
  readonly lagMs: number
}

export const begin = (now: number, options: Options): State => {
  const start = now - options.historyMs
  return {
    start,
    until: start,
    newest: 0,
    front: 0,
    marks: new Map(),
    seen: new Map(),
    floor: 0,
    late: [],
    rescanned: now,
    repeatedTo: start,
    line: 0
  }
}

const floorMinute = (ms: number): number => Math.floor(ms / minute) * minute

/** The lateness that all but one in a thousand stay below, ms. */
export const latenessOf = (late: ReadonlyArray<number>): number => {
  const total = late.reduce((sum, n) => sum + n, 0)
  let above = 0
  for (let step = late.length - 1; step >= 0; step--) {
    above += late[step] ?? 0
    if (above > total / 1_000) return step === 0 ? 0 : 2 ** step * 1_000
  }
  return 0
}

const overlapOf = (state: State): number =>
  Math.min(overlapMaxMs, Math.max(overlapMinMs, latenessOf(state.late) + settleMs + 2 * minute))

/** Event time that no scan to come goes back behind. */
const lineOf = (until: number, repeatedTo: number, options: Options): number =>
  floorMinute(Math.min(until, repeatedTo) - Math.max(options.rescanMs, overlapMaxMs + skewMaxMs) - minute)

/** The state with the window to read next, which is `again` when that is the repeated one. */
export const next = (
  state: State,
  now: number,
  options: Options
): { readonly state: State; readonly window: Window; readonly repeated: boolean } => {
  if (state.window !== undefined) return { state, window: state.window, repeated: false }
  const again = againOf(state, now, options)
  if (again !== undefined && now - state.until < pauseMs) {
    const rescanned = again === state.again ? state.rescanned : now
    return { state: { ...state, again, rescanned }, window: again, repeated: true }
  }
  const end = Math.max(now, state.newest, state.until)
  const stride = now - state.until > 2 * strideFarMs ? strideFarMs : strideNearMs
  // The end of the last scan by the server's clock: ours may have been ahead of it.
  const last = Math.min(state.until, Math.max(state.front, Math.min(state.until, now) - skewMaxMs))
  const window: Window = {
    from: Math.max(state.start, state.line, floorMinute(last - overlapOf(state))),
    to: Math.max(state.until, Math.min(end, state.until + stride)),
    at: Math.max(state.newest, now - skewMaxMs),
    restarts: 0,
    began: now
  }
  return { state: { ...state, window }, window, repeated: false }
}

const againOf = (state: State, now: number, options: Options): Window | undefined => {
  if (options.rescanMs === 0) return undefined
  if (state.again !== undefined && now - state.again.began <= rescanLongestMs) return state.again
  // A clock that was set back must not put it off for ever.
  if (Math.abs(now - state.rescanned) < rescanEveryMs) return undefined
  return {
    // Since the last one, not since now: what came late during an outage is looked for too.
    from: Math.max(state.start, state.line, floorMinute(Math.min(state.until, state.repeatedTo) - options.rescanMs)),
    to: state.until,
    at: Math.max(state.newest, now - skewMaxMs),
    restarts: 0,
    began: now
  }
}

/** The server no longer knows the token: the window begins anew. Undefined when that happens again and again. */
export const tokenLost = (state: State, repeated: boolean): State | undefined => {
  const window = repeated ? state.again : state.window
  if (window === undefined || window.token === undefined || window.restarts >= restartsMax) return undefined
  const anew: Window = { ...window, token: undefined, restarts: window.restarts + 1 }
  return repeated ? { ...state, again: anew } : { ...state, window: anew }
}

/** Whether what was ingested in that minute was handed out by a scan that is over. */
const settled = (marks: ReadonlyMap<number, number>, floor: number, group: Seen.Group): boolean => {
  const mark = marks.get(group.time)
  return mark !== undefined && group.ingested * minute <= Math.max(mark - settleMs, Math.min(floor, mark))
}

/** Marks the whole minutes of [from, to). */
const marked = (
  marks: ReadonlyMap<number, number>,
  from: number,
  to: number,
  at: number
): ReadonlyMap<number, number> => {
  const raised = new Map(marks)
  for (let time = Math.ceil(from / minute); (time + 1) * minute <= to; time++) {
    raised.set(time, Math.max(at, raised.get(time) ?? 0))
  }
  return raised
}

const lateStep = (ms: number): number => (ms <= 1_000 ? 0 : Math.min(12, Math.ceil(Math.log2(ms / 1_000))))

/** Takes a page of the window that `next` named: what of it is new, and the state after it. */
export const took = <A extends Stamp>(
  state: State,
  repeated: boolean,
  page: Page<A>,
  now: number,
  options: Options
): Took<A> => {
  const window = repeated ? state.again : state.window
  if (window === undefined) throw new Error("expected a page of a window that next() opened, got none")
  const seen: Seen.Seen = new Map(state.seen)
  const owned = new Set<string>()
  let late = [...state.late]
  let { floor, marks, newest } = state
  let passed = window.from
  const fresh: Array<A> = []
  for (const item of page.items) {
    // Lower than it is does no harm, so nonsense is cut off.
    if (item.ingested <= now + aheadMaxMs) newest = Math.max(newest, item.ingested)
    if (item.time <= window.to) passed = Math.max(passed, item.time)
    const group = Seen.groupOf(item.time, item.ingested)
    if (settled(state.marks, state.floor, group) || !Seen.add(seen, owned, group, item.id)) continue
    fresh.push(item)
    const step = lateStep(item.ingested - item.time)
    late[step] = (late[step] ?? 0) + 1
  }
  late = Array.from(late, (n) => n ?? 0)
  if (late.reduce((sum, n) => sum + n, 0) > 100_000) late = late.map((n) => n / 2)

  const over = page.token === undefined
  const most = options.ids ?? idsMax
  if (over) marks = marked(marks, window.from, window.to, window.at)
  // Pages are sorted: what lies before this one's end has been read whole.
  else if (Seen.size(seen) > most / 2) marks = marked(marks, window.from, Math.min(passed, window.to), window.at)
  const until = over && !repeated ? Math.max(state.until, window.to) : state.until
  const going: Window = { ...window, token: page.token }
  const after = repeated
    ? { window: state.window, again: over ? undefined : going }
    : { window: over ? undefined : going, again: state.again }
  const repeatedTo = options.rescanMs === 0 ? until : over && repeated ? window.to : state.repeatedTo
  const oldest = Math.min(lineOf(until, repeatedTo, options), after.window?.from ?? until, after.again?.from ?? until)
  const line = Math.max(state.line, floorMinute(oldest))
  marks = new Map([...marks].filter(([time]) => time * minute >= line))
  Seen.forget(seen, (group) => group.time * minute < line || settled(marks, floor, group))
  const forgotten = Seen.shrink(seen, most)
  if (forgotten !== undefined) floor = Math.max(floor, forgotten * minute)
  const front = over && !repeated ? Math.max(state.front, window.at) : state.front
  const taken: State = { ...state, until, newest, front, marks, seen, floor, late, repeatedTo, line, ...after }
  const more = after.window !== undefined || againOf(taken, now, options) !== undefined || now - until > pauseMs
  return { fresh, state: taken, more, lagMs: Math.max(0, now - until) }
}

/** The state as text, and back; undefined when it is not one. */
export const encode = (state: State): string => {
  const runs: Array<[first: number, count: number, at: number]> = []
  for (const [time, at] of [...state.marks].toSorted(([a], [b]) => a - b)) {
    const last = runs.at(-1)
    if (last !== undefined && last[2] === at && last[0] + last[1] === time) last[1]++
    else runs.push([time, 1, at])
  }
  return JSON.stringify({ v: 1, ...state, marks: runs, seen: Seen.encode(state.seen) })
}

export const decode = (text: string): State | undefined => {
  try {
    const value = JSON.parse(text) as
      | (Omit<State, "marks"> & { v: number; marks: ReadonlyArray<ReadonlyArray<number>> })
      | null
    if (value === null || value.v !== 1 || !Number.isFinite(value.until) || !Array.isArray(value.marks))
      return undefined
    const seen = Seen.decode(value.seen)
    if (seen === undefined) return undefined
    const marks = new Map<number, number>()
    for (const [first = 0, count = 0, at = 0] of value.marks) {
      for (let n = 0; n < Math.min(count, 100_000); n++) marks.set(first + n, at)
    }
    const { v: _, ...state } = value
    return { ...state, marks, seen }
  } catch {
    return undefined
  }
}
