/**
 * The contract of places that logs are fetched from. A pull source is asked again and again and answers with whole lines
 * and where to go on; it keeps nothing, stores nothing and does not retry.
 */
import { Data, type Effect } from "effect"

/** The place could not be read. `retryable` is false where only a person can help (wrong URL, refused). */
export class SourceError extends Data.TaggedError("SourceError")<{
  readonly source: string
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

export interface Pulled {
  readonly lines: ReadonlyArray<string>
  /** Where the next poll goes on; opaque to all but the source. */
  readonly cursor: string
  /** Whether there is more to fetch at once. */
  readonly more: boolean
}

/** A fault of a connection's settings, with the field it is in. */
export interface ConfigIssue {
  readonly path: ReadonlyArray<string>
  readonly message: string
}

export type SourceConfig = Readonly<Record<string, string>>

export interface PullSource {
  /** As in a connection's `kind`. */
  readonly kind: string
  /** What is wrong with the settings; empty when nothing is. */
  readonly validate: (config: SourceConfig) => ReadonlyArray<ConfigIssue>
  /** The whole lines since `cursor` (null: from the start), up to the source's own limit. */
  readonly poll: (config: SourceConfig, cursor: string | null) => Effect.Effect<Pulled, SourceError>
}
