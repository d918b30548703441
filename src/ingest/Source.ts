/**
 * The contract of places that logs are fetched from. A source is asked again and again and answers with one page of events
 * and where to go on; it keeps nothing, stores nothing and does not retry. Every event bears an id that is the same whenever
 * it is met, and no event is handed out twice by polls that go on at each other's cursors; that a page and its cursor are
 * kept together is the caller's duty (tasks/live/poll_cloud_logs).
 */
import { Context, Data, type Effect, Exit, Redacted, Schema, SchemaIssue } from "effect"
import type { SentEvent } from "../domain/SentEvent.ts"

/**
 * What is wrong with a place: `settings` (they can't work), `package` (its SDK is not installed), `address` (not one that
 * may be asked), `denied` (credentials), `missing` (no such log), `throttled`, `token` (where we were is no longer known),
 * `unreachable` (no answer, 5xx), `answer` (one that makes no sense), `incomplete` (only a part of what was asked).
 */
export type Fault =
  | "settings"
  | "package"
  | "address"
  | "denied"
  | "missing"
  | "throttled"
  | "token"
  | "unreachable"
  | "answer"
  | "incomplete"

/** The place could not be read. `retryable` is false where only a person can help. Never tells a secret. */
export class SourceError extends Data.TaggedError("SourceError")<{
  readonly source: string
  readonly fault: Fault
  readonly expected: string
  readonly got: string
  readonly retryable: boolean
  /** How long the place asked to be left alone, ms. */
  readonly retryAfterMs?: number
}> {
  override get message(): string {
    return `${this.source}: expected ${this.expected}, got ${this.got}`
  }
}

/** An event with the id by which it is known again. */
export interface PolledEvent {
  readonly id: string
  readonly event: SentEvent
}

export interface Polled {
  readonly events: ReadonlyArray<PolledEvent>
  /** Where the next poll goes on; opaque to all but the source. */
  readonly cursor: string
  /** Whether there is more to fetch at once. */
  readonly more: boolean
  /** How far what was fetched lies behind now, ms. */
  readonly lagMs: number
}

/** A fault of a connection's settings or credentials, with the field it is in. Never tells a secret. */
export interface ConfigIssue {
  readonly path: ReadonlyArray<string>
  readonly message: string
}

export type Config = Readonly<Record<string, string | number | boolean>>
export type Secrets = Redacted.Redacted<Readonly<Record<string, string>>>

export const noSecrets: Secrets = Redacted.make({})

export interface Limits {
  /** Events of one page at most; a source has its own limit too. */
  readonly events: number
  /** Whether addresses of this host and of private networks may be asked. */
  readonly allowPrivate: boolean
}

/** A page and where to go on are asked with this. */
export interface Ask {
  readonly config: Config
  readonly secrets: Secrets
  /** null: from the start. */
  readonly cursor: string | null
  /** Epoch ms. */
  readonly now: number
  readonly limits: Limits
}

export interface Source {
  /** As in a connection's `kind`. */
  readonly kind: string
  /** What is wrong with settings and credentials; empty when nothing is. */
  readonly validate: (config: Config, secrets: Secrets) => ReadonlyArray<ConfigIssue>
  /** Names the place that settings point at: while it stays the same, the cursor stays good. */
  readonly identity: (config: Config) => string
  /** One cheap call, to tell whether a poll can work. */
  readonly check: (ask: Omit<Ask, "cursor">) => Effect.Effect<void, SourceError>
  /** The next page of events after the cursor. */
  readonly poll: (ask: Ask) => Effect.Effect<Polled, SourceError>
}

/** Whether addresses of this host and of private networks may be asked (LOGLYTICS_ALLOW_PRIVATE_URLS). */
export const AllowPrivate = Context.Reference<boolean>("loglytics/ingest/AllowPrivate", { defaultValue: () => false })

const standard = SchemaIssue.makeFormatterStandardSchemaV1()

/** The faults of a value by its schema; unknown fields are faults too. Values are not repeated, they may be secrets. */
export const issuesBy = (schema: Schema.Top, value: unknown): ReadonlyArray<ConfigIssue> => {
  const decode = Schema.decodeUnknownExit(schema as unknown as Schema.Codec<unknown>, {
    errors: "all",
    onExcessProperty: "error"
  })
  const exit = decode(value)
  if (Exit.isSuccess(exit)) return []
  const fail = exit.cause.reasons.find((reason) => reason._tag === "Fail")
  if (fail === undefined) return [{ path: ["config"], message: "expected settings that can be read" }]
  return standard(fail.error.issue).issues.map((issue) => ({
    path: (issue.path ?? []).map((step) => String(typeof step === "object" ? step.key : step)),
    message: issue.message.toLowerCase().startsWith("expected") ? issue.message : `expected: ${issue.message}`
  }))
}

/** A text without the values of secrets, on one line of at most 500 characters. */
export const scrub = (text: string, secrets: Secrets): string => {
  let clean = text
  for (const value of Object.values(Redacted.value(secrets))) {
    if (value.length >= 4) clean = clean.replaceAll(value, "<secret>")
  }
  return clean.replaceAll(/\s+/gu, " ").trim().slice(0, 500)
}
