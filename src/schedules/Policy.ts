/**
 * Which slots of a schedule fire, decided by pure functions with a named reason: the time comes in, a decision comes out.
 * Enqueueing is the beat's matter.
 */
import type { Cron } from "effect"
import * as Calendar from "./Calendar.ts"

/** What to do about slots missed while no beat ran: none, the latest, or all within a window. */
export type Misfire = "skip" | "once" | { readonly allWithin: number }

/** What to do when the job of an earlier slot is not finished: start anyway, leave this one out, keep one waiting until it has, or cancel the earlier. */
export type Overlap = "allow" | "skip" | "bufferOne" | "cancelOther"

/** Between which times slots exist, epoch ms, both ends included. */
interface Bounds {
  readonly startAt?: number
  readonly endAt?: number
}

/**
 * When a schedule fires. Slots of an interval are multiples of it since the epoch, so that every process agrees on them;
 * those of a cron expression are its times in each of the zones.
 */
export type When =
  | ({
      readonly _tag: "Cron"
      readonly expression: string
      readonly timeZone: string | ReadonlyArray<string>
      readonly cron: Cron.Cron
    } & Bounds)
  | ({ readonly _tag: "Every"; readonly text: string; readonly everyMs: number } & Bounds)

const zonesOf = (timeZone: string | ReadonlyArray<string>): ReadonlyArray<string> =>
  typeof timeZone === "string" ? [timeZone] : timeZone

/** The first slot after `now`, epoch ms; Infinity where there is none. */
export const nextSlot = (when: When, now: number): number => {
  const from = Math.max(now, (when.startAt ?? Number.NEGATIVE_INFINITY) - 1)
  const slot =
    when._tag === "Every"
      ? (Math.floor(from / when.everyMs) + 1) * when.everyMs
      : Math.min(...zonesOf(when.timeZone).map((zone) => Calendar.next(when.cron, zone, from)))
  return slot > (when.endAt ?? Number.POSITIVE_INFINITY) ? Number.POSITIVE_INFINITY : slot
}

/** The latest slot at or before `now`, epoch ms; -Infinity where there is none. */
export const lastSlot = (when: When, now: number): number => {
  const to = Math.min(now, when.endAt ?? Number.POSITIVE_INFINITY)
  const slot =
    when._tag === "Every"
      ? Math.floor(to / when.everyMs) * when.everyMs
      : Math.max(...zonesOf(when.timeZone).map((zone) => Calendar.previous(when.cron, zone, to)))
  return slot < (when.startAt ?? Number.NEGATIVE_INFINITY) ? Number.NEGATIVE_INFINITY : slot
}

/** The slots after `from` up to and with `to`, oldest first, at most `max` of them. */
export const slotsBetween = (when: When, from: number, to: number, max: number): ReadonlyArray<number> => {
  const out: Array<number> = []
  for (let slot = nextSlot(when, from); slot <= to && out.length < max; slot = nextSlot(when, slot)) out.push(slot)
  return out
}

export interface Due {
  readonly slots: ReadonlyArray<number>
  readonly reason:
    | "nothing due"
    | "on time"
    | "missed: skipped"
    | "missed: latest only"
    | "missed: all within the window"
}

/** Slots that are later than this are missed, not late: 60 s. */
export const lateMs = 60_000
/** Most slots that one decision names. */
export const slotsMax = 1_000

/**
 * The slots to fire now. `last` is the latest slot that is over, fired or left out; undefined where the schedule is new, which
 * has missed nothing. A clock that went back fires nothing twice: slots at or before `last` are over.
 */
export const due = (when: When, misfire: Misfire, last: number | undefined, now: number): Due => {
  const latest = lastSlot(when, now)
  const onTime = now - latest <= lateMs
  if (last === undefined) return onTime ? { slots: [latest], reason: "on time" } : { slots: [], reason: "nothing due" }
  if (latest <= last) return { slots: [], reason: "nothing due" }
  const window = typeof misfire === "object" ? Math.max(misfire.allWithin, lateMs) : lateMs
  const slots = slotsBetween(when, Math.max(last, now - window - 1), now, slotsMax)
  const missed = slots.length > 0 && now - (slots[0] ?? now) > lateMs
  if (onTime) return { slots, reason: missed ? "missed: all within the window" : "on time" }
  if (misfire === "skip") return { slots: [], reason: "missed: skipped" }
  if (misfire === "once") return { slots: [latest], reason: "missed: latest only" }
  return slots.length > 0 ? { slots, reason: "missed: all within the window" } : { slots, reason: "missed: skipped" }
}

export type Start = { readonly act: "start" | "leave" | "wait" | "cancelAndStart"; readonly reason: string }

/** What to do with a slot, given how many jobs of earlier slots are unfinished. */
export const overlap = (policy: Overlap, unfinished: number): Start => {
  if (unfinished === 0) return { act: "start", reason: "the one before has ended" }
  switch (policy) {
    case "allow":
      return { act: "start", reason: "overlap is allowed" }
    case "skip":
      return { act: "leave", reason: "the one before has not ended" }
    case "bufferOne":
      return { act: "wait", reason: "it waits for the one before" }
    case "cancelOther":
      return { act: "cancelAndStart", reason: "the one before is cancelled" }
  }
}

/** How long after its slot a job starts: the same in every process, in [0, jitterMs). */
export const jitterOf = (name: string, slot: number, jitterMs: number): number => {
  if (jitterMs <= 0) return 0
  let hash = 2_166_136_261
  for (const char of `${name}:${slot}`) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16_777_619)
  return ((hash >>> 0) / 4_294_967_296) * jitterMs
}
