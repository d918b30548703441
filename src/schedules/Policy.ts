/**
 * Which slots of a schedule fire, decided by pure functions with a named reason: the time comes in, a decision comes out.
 * Enqueueing is the beat's matter.
 */
import { Cron } from "effect"

/** What to do about slots missed while no beat ran: none, the latest, or all within a window. */
export type Misfire = "skip" | "once" | { readonly allWithin: number }

/** What to do when the job of an earlier slot is not finished: start anyway, leave this one out, keep one waiting, or cancel the earlier. */
export type Overlap = "allow" | "skip" | "bufferOne" | "cancelOther"

/** When a schedule fires. Slots of an interval are multiples of it since the epoch, so that every process agrees on them. */
export type When =
  | { readonly _tag: "Cron"; readonly expression: string; readonly timeZone: string; readonly cron: Cron.Cron }
  | { readonly _tag: "Every"; readonly text: string; readonly everyMs: number }

/** The first slot after `now`, epoch ms. */
export const nextSlot = (when: When, now: number): number =>
  when._tag === "Every"
    ? (Math.floor(now / when.everyMs) + 1) * when.everyMs
    : Cron.next(when.cron, new Date(now)).getTime()

/** The latest slot at or before `now`, epoch ms. */
export const lastSlot = (when: When, now: number): number =>
  when._tag === "Every"
    ? Math.floor(now / when.everyMs) * when.everyMs
    : Cron.prev(when.cron, new Date(now + 1)).getTime()

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
 * The slots to fire now. `last` is the latest slot fired by anyone; undefined where the schedule is new, which has missed
 * nothing. A clock that went back fires nothing twice: slots at or before `last` are over.
 */
export const due = (when: When, misfire: Misfire, last: number | undefined, now: number): Due => {
  const latest = lastSlot(when, now)
  if (last !== undefined && latest <= last) return { slots: [], reason: "nothing due" }
  const onTime = now - latest <= lateMs
  if (last === undefined) return onTime ? { slots: [latest], reason: "on time" } : { slots: [], reason: "nothing due" }
  const missed: Array<number> = []
  const window = typeof misfire === "object" ? misfire.allWithin : 0
  if (typeof misfire === "object") {
    for (let slot = nextSlot(when, Math.max(last, now - window - 1)); slot < latest && missed.length < slotsMax;) {
      missed.push(slot)
      slot = nextSlot(when, slot)
    }
  }
  if (onTime) {
    return missed.length === 0
      ? { slots: [latest], reason: "on time" }
      : { slots: [...missed, latest], reason: "missed: all within the window" }
  }
  if (misfire === "skip") return { slots: [], reason: "missed: skipped" }
  if (misfire === "once") return { slots: [latest], reason: "missed: latest only" }
  return now - latest <= window
    ? { slots: [...missed, latest], reason: "missed: all within the window" }
    : { slots: [], reason: "missed: skipped" }
}

export type Start = { readonly act: "start" | "leave" | "cancelAndStart"; readonly reason: string }

/** What to do with a slot, given how many jobs of earlier slots are unfinished. */
export const overlap = (policy: Overlap, unfinished: number): Start => {
  if (unfinished === 0) return { act: "start", reason: "the one before has ended" }
  switch (policy) {
    case "allow":
      return { act: "start", reason: "overlap is allowed" }
    case "skip":
      return { act: "leave", reason: "the one before has not ended" }
    case "bufferOne":
      return unfinished === 1
        ? { act: "start", reason: "one may wait" }
        : { act: "leave", reason: "one is waiting already" }
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
