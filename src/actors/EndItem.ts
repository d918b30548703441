/**
 * What the end of an attempt becomes: the settlement that Redis carries out, and the row that tells of it. Promises one row for
 * every end but of jobs that are put back, whose attempt was none. Pure.
 */
import type { Failure } from "../jobs/Engine.ts"
import type { JobState } from "../jobs/Outcome.ts"
import type { Meta } from "../jobs/Plan.ts"
import type * as Events from "../streams/Events.ts"
import * as Flows from "../streams/Flows.ts"
import type * as Settling from "../streams/Settling.ts"
import type { Ended } from "./Ended.ts"
import type { Held } from "./Held.ts"

export interface Item {
  readonly held: Held
  readonly settlement: Settling.Settlement
  readonly row: Events.PackedRow | undefined
}

/** The failure of a dead job is kept this long at least: 7 days. */
const deadTtlMs = 604_800_000
const defaultTtlMs = 86_400_000
/** Failures of a job that are remembered. */
const historyMax = 10

/** What is kept of a result: nothing of one that is ignored, a mark before one that is kept apart. */
const keptOf = (meta: Meta | undefined, body: string, apartOver: number | undefined): string =>
  meta?.i !== undefined ? "null" : apartOver !== undefined && body.length > apartOver ? `>${body}` : body

/** `apartOver`: results of more characters are kept beside their job. */
export const itemOf = (held: Held, ended: Ended, apartOver?: number): Item => {
  const claim = { entry: held.job.entry, count: held.count }
  if (ended._tag === "Later" || ended._tag === "Parked") return putBack(held, ended)
  if (ended._tag !== "Outcome") return { held, settlement: { kind: "K", claim }, row: undefined }
  const { body, outcome, task } = ended
  const now = Date.now()
  const { task: name } = held.job
  const id = ended.as ?? held.job.id
  const started = held.startedAt
  const base = { claim, id, task: name, run: `${held.attempt}:${held.enqueuedAt}:${started}:${now}`, body }
  const row = (state: JobState, error?: string): Events.PackedRow =>
    error === undefined
      ? [id, name, state, held.attempt, held.enqueuedAt, started, now]
      : [id, name, state, held.attempt, held.enqueuedAt, started, now, error]
  const again = (kind: "R" | "S", ms: number, next: Meta) =>
    ({ kind, ...base, ms, meta: JSON.stringify(next), link: "", unique: "" }) as const
  const { meta } = held
  const kept = task?.resultTtlMs ?? defaultTtlMs
  const ttl = meta?.i === 1 ? 0 : kept
  const unique = meta?.u ?? ""
  switch (outcome._tag) {
    case "Done": {
      const link = Flows.doneLink(meta, held.job.meta, body)
      const kind = link === "" && unique === "" ? "D" : "d"
      const settlement = {
        kind,
        ...base,
        body: keptOf(meta, body, apartOver),
        ms: ttl,
        meta: "",
        link,
        unique
      } as const
      return { held, settlement, row: row("done") }
    }
    case "Dead": {
      const link = Flows.failedLink(meta, held.job.meta, name, outcome.error)
      const ms = Math.max(kept, deadTtlMs)
      return {
        held,
        settlement: { kind: "X", ...base, ms, meta: "", link, unique },
        row: row("dead", textOf(outcome.error))
      }
    }
    case "Cancelled": {
      const link = Flows.failedLink(meta, held.job.meta, name, { _tag: "Cancelled", message: outcome.reason })
      return {
        held,
        settlement: { kind: "C", ...base, ms: ttl, meta: "", link, unique },
        row: row("cancelled", outcome.reason)
      }
    }
    case "Retry": {
      const failed = [held.attempt, now, outcome.error._tag, (outcome.error.message ?? "").slice(0, 200)] as const
      const h = [...(meta?.h ?? []).slice(1 - historyMax), failed]
      const next: Meta = { ...meta, t: held.enqueuedAt, f: (meta?.f ?? 0) + 1, a: held.attempt, h }
      return { held, settlement: again("R", outcome.delayMs, next), row: row("retrying", textOf(outcome.error)) }
    }
    case "Snoozed": {
      // A snooze is no attempt: runs and failures stay as they were.
      const next: Meta = { ...meta, t: held.enqueuedAt, s: (meta?.s ?? 0) + 1 }
      return { held, settlement: again("S", outcome.delayMs, next), row: row("scheduled") }
    }
  }
}

/** A job that may not start yet: neither an attempt nor an event. */
const putBack = (held: Held, ended: Extract<Ended, { readonly _tag: "Later" | "Parked" }>): Item => {
  const { g: _, ...meta } = held.meta ?? {}
  const slot = ended._tag === "Later" ? ended.slot : undefined
  const next: Meta = { ...meta, t: held.enqueuedAt, ...(slot === undefined ? {} : { g: slot }) }
  const settlement = {
    kind: ended._tag === "Later" ? "S" : "P",
    claim: { entry: held.job.entry, count: held.count },
    id: held.job.id,
    task: held.job.task,
    run: `${held.attempt - 1}:${held.enqueuedAt}::`,
    body: "",
    ms: ended._tag === "Later" ? Math.max(1, Math.ceil(ended.delayMs)) : 1,
    meta: JSON.stringify(next),
    link: "",
    unique: ""
  } as const
  return { held, settlement, row: undefined }
}

export const revokedItem = (held: Held): Item =>
  itemOf(held, {
    _tag: "Outcome",
    outcome: { _tag: "Cancelled", reason: "revoked" },
    task: undefined,
    body: JSON.stringify({ _tag: "Cancelled", message: "revoked" })
  })

const textOf = (error: Failure): string =>
  `${error._tag}${error.message === undefined ? "" : `: ${error.message}`}`.slice(0, 500)
