/**
 * How odd a session is: the events (template ids) of one request, block or job. Learns from sessions one at a time and compares a
 * session with them in three ways: an event that hardly any session has, a length that is rare, and a count vector (how often
 * each event came) far from all usual ones. Promises bounded state that is plain JSON. Which lines make a session, and what is
 * done about an odd one, is left to others.
 */
import { type Odds, observeOdds, oddsOf, startOdds } from "./Odds.ts"

export interface SequenceSettings {
  /** Part of all sessions up to which something is rare: 0.001 without it; 0.02 where odd sessions are learnt from as well. */
  readonly rare?: number
}

/** How often each event came: pairs of event and count, events ascending. */
type Vector = ReadonlyArray<readonly [number, number]>

interface Known {
  readonly vector: Vector
  count: number
  /** Session that was like it last. */
  last: number
}

/** Plain JSON: at most 2,000 events and 300 vectors of at most 64 events each. */
export interface SequenceState {
  sessions: number
  /** Sessions that had the event, and the session that had it last. */
  events: Record<string, { count: number; last: number }>
  known: Record<string, Known>
  lengths: Odds
  distances: Odds
}

export interface SequenceScore {
  /** 0 to 1; from 0.5 on the session is odd. */
  readonly score: number
  readonly kind: "new_event" | "length" | "counts" | "none"
  /** For `new_event` the event; for `counts` the event that differs most, how often it came and how often it usually comes. */
  readonly event: number | undefined
  readonly got: number
  readonly expected: number
}

export interface SequenceModel {
  readonly state: SequenceState
  readonly learn: (events: ReadonlyArray<number>) => void
  readonly score: (events: ReadonlyArray<number>) => SequenceScore
}

const eventsMax = 2_000
const knownMax = 300
const vectorMax = 64
/** Events of a session that are looked at. */
const lengthMax = 10_000
/** Sessions before anything is odd. */
const sessionsMin = 50
const rareDefault = 0.001

const start = (): SequenceState => ({
  sessions: 0,
  events: {},
  known: {},
  lengths: startOdds(),
  distances: startOdds()
})

const vectorOf = (events: ReadonlyArray<number>): Vector => {
  const counts = new Map<number, number>()
  for (const event of events.slice(0, lengthMax)) {
    if (Number.isSafeInteger(event)) counts.set(event, (counts.get(event) ?? 0) + 1)
  }
  return [...counts].toSorted((a, b) => a[0] - b[0]).slice(0, vectorMax)
}

/** 0 for the same counts, 1 for nothing in common. */
const distance = (a: Vector, b: Vector): number => {
  let apart = 0
  let all = 0
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const left = a[i]
    const right = b[j]
    if (right === undefined || (left !== undefined && left[0] < right[0])) {
      apart += left![1]
      all += left![1]
      i++
    } else if (left === undefined || right[0] < left[0]) {
      apart += right[1]
      all += right[1]
      j++
    } else {
      apart += Math.abs(left[1] - right[1])
      all += left[1] + right[1]
      i++
      j++
    }
  }
  return all === 0 ? 0 : apart / all
}

/** The event whose counts differ most between a session and a usual one. */
const difference = (a: Vector, b: Vector) => {
  const usual = new Map(b)
  const here = new Map(a)
  let most = { event: a[0]?.[0] ?? b[0]?.[0], got: 0, expected: 0 }
  for (const event of new Set([...here.keys(), ...usual.keys()])) {
    const got = here.get(event) ?? 0
    const expected = usual.get(event) ?? 0
    if (Math.abs(got - expected) > Math.abs(most.got - most.expected)) most = { event, got, expected }
  }
  return most
}

/** Forgets what was seen least, and of these what was seen longest ago, down to `max`. */
const prune = <A extends { count: number; last: number }>(all: Record<string, A>, max: number): void => {
  const keys = Object.keys(all)
  if (keys.length <= max * 1.25) return
  const ranked = keys.toSorted((a, b) => all[a]!.count - all[b]!.count || all[a]!.last - all[b]!.last)
  for (const key of ranked.slice(0, keys.length - max)) delete all[key]
}

/** A model that begins, or goes on with `state`, which it changes in place. */
export const make = (settings: SequenceSettings = {}, state: SequenceState = start()): SequenceModel => {
  const rare = Math.min(0.5, Math.max(1e-6, settings.rare ?? rareDefault))
  const odd = -Math.log10(rare)
  const scoreOf = (surprise: number): number => surprise / (surprise + odd)
  const surpriseOf = (count: number): number => Math.max(0, -Math.log10((count + 0.5) / (state.sessions + 1)))

  /** The nearest vector that is usual: neither rare nor seen once. */
  const nearest = (vector: Vector) => {
    const least = Math.max(2, rare * state.sessions)
    let best: { readonly vector: Vector; readonly far: number } | undefined
    const own = state.known[JSON.stringify(vector)]
    if (own !== undefined && own.count >= least) return { vector: own.vector, far: 0 }
    for (const key of Object.keys(state.known)) {
      const one = state.known[key]!
      if (one.count < least) continue
      const far = distance(vector, one.vector)
      if (best === undefined || far < best.far) best = { vector: one.vector, far }
    }
    return best
  }

  const lengthOf = (events: ReadonlyArray<number>): number => 1 + Math.min(events.length, lengthMax)

  const learn = (events: ReadonlyArray<number>): void => {
    const vector = vectorOf(events)
    if (vector.length === 0) return
    const near = nearest(vector)
    state.sessions++
    for (const [event] of vector) {
      const known = (state.events[event] ??= { count: 0, last: 0 })
      known.count++
      known.last = state.sessions
    }
    const key = JSON.stringify(vector)
    const known = (state.known[key] ??= { vector, count: 0, last: 0 })
    known.count++
    known.last = state.sessions
    observeOdds(state.lengths, lengthOf(events))
    if (near !== undefined && state.sessions > sessionsMin) observeOdds(state.distances, near.far)
    prune(state.events, eventsMax)
    prune(state.known, knownMax)
  }

  const score = (events: ReadonlyArray<number>): SequenceScore => {
    const vector = vectorOf(events)
    const none: SequenceScore = {
      score: 0,
      kind: "none",
      event: undefined,
      got: events.length,
      expected: events.length
    }
    if (state.sessions < sessionsMin || vector.length === 0) return none
    let best = none
    const tell = (surprise: number, found: Omit<SequenceScore, "score">) => {
      const is = scoreOf(surprise)
      if (is > best.score) best = { ...found, score: is }
    }
    // Of reasons that are as good the one that says most comes first.
    for (const [event, count] of vector) {
      tell(surpriseOf(state.events[event]?.count ?? 0), { kind: "new_event", event, got: count, expected: 0 })
    }
    const near = nearest(vector)
    if (near !== undefined && near.far > 0) {
      tell(oddsOf(state.distances, near.far), { kind: "counts", ...difference(vector, near.vector) })
    }
    tell(oddsOf(state.lengths, lengthOf(events)), {
      kind: "length",
      event: undefined,
      got: events.length,
      expected: near?.vector.reduce((sum, [, count]) => sum + count, 0) ?? 0
    })
    return best
  }
  return { state, learn, score }
}
