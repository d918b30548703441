/**
 * What a notification channel is: it brings one message to people and says how that went. Channels do not retry and do not
 * keep anything; the task that calls them does.
 */
import { Data, type Effect } from "effect"
import type { Notification } from "../domain/Alert.ts"

/** The message did not get through. `retryable` is false where trying again can't help (bad address, refused key). */
export class ChannelError extends Data.TaggedError("ChannelError")<{
  readonly channel: string
  readonly reason: string
  readonly retryable: boolean
}> {
  override get message(): string {
    return `${this.channel}: ${this.reason}`
  }
}

export interface Channel<Id extends string, R = never> {
  /** As in routes and settings; the task is `send_<id>` (see TASKS). */
  readonly id: Id
  readonly send: (notification: Notification) => Effect.Effect<void, ChannelError, R>
}
