/**
 * The messages of the WebSocket `/live`. A client signs in (with the upgrade's Authorization header or a first `auth`
 * message), subscribes to topics, and gets a snapshot and then events with sequence numbers to resume from.
 */
import { Schema } from "effect"

export const topics = ["tail", "alerts", "notifications", "metrics", "jobs"] as const
export const Topic = Schema.Literals(topics)
export type Topic = typeof Topic.Type

export const ClientMessage = Schema.Union([
  Schema.Struct({ type: Schema.tag("auth"), key: Schema.String }),
  Schema.Struct({
    type: Schema.tag("subscribe"),
    topic: Topic,
    /** Which project; a project key's own, else `default`. Not for `jobs`. */
    project: Schema.optionalKey(Schema.String),
    /** `tail` only: the search language; empty for every line. */
    query: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(4_096))),
    /** The last `seq` seen: what came since is sent instead of a snapshot, where it is still kept; else `gap` and a snapshot. */
    after: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^\d{1,16}-\d{1,16}$/u)))
  }),
  Schema.Struct({ type: Schema.tag("unsubscribe"), topic: Topic }),
  Schema.Struct({ type: Schema.tag("ping") })
])
export type ClientMessage = typeof ClientMessage.Type
export type Subscribe = Extract<ClientMessage, { readonly type: "subscribe" }>

export type ServerMessage =
  /** Signed in. `projects` is "*" for admin keys. */
  | { readonly type: "ready"; readonly projects: "*" | ReadonlyArray<string> }
  /** State at the time of subscribing, newest last. */
  | { readonly type: "snapshot"; readonly topic: Topic; readonly seq: string; readonly data: ReadonlyArray<unknown> }
  /** What is new, in order. Without data: only `seq` has moved, since nothing was for this subscription. */
  | { readonly type: "event"; readonly topic: Topic; readonly seq: string; readonly data: ReadonlyArray<unknown> }
  /**
   * Items of the topic may be missing here, how many is not known: what came after `after` is no longer kept and a snapshot
   * follows, or, without `after`, some could not be published or were no longer kept when this gateway read on.
   */
  | { readonly type: "gap"; readonly topic: Topic; readonly after?: string }
  /** The client was too slow: this many items of the topic were left out here. */
  | { readonly type: "skipped"; readonly topic: Topic; readonly count: number }
  | {
      readonly type: "error"
      readonly code: ErrorCode
      readonly message: string
      /** The subscription it is about, if any. */
      readonly topic?: Topic
    }
  | { readonly type: "pong" }

export type ErrorCode = "unauthorized" | "forbidden" | "not_found" | "invalid" | "unavailable"

/** Reads a client's message; faults name their path. */
export const decode = Schema.decodeUnknownResult(Schema.fromJsonString(ClientMessage))
