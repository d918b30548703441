/**
 * What a notification channel is: it brings one message to people and says how that went. A channel keeps nothing and does
 * not retry: the task that calls it does (tasks/notifications/Sending). Promises of every member: settings are checked by
 * its schema before it is called, an error never tells a secret, and says whether trying again can help.
 */
import { Context, Data, type Effect, type Redacted, type Schema } from "effect"
import type { ChannelKind } from "../domain/Channel.ts"
import type { ProjectId } from "../domain/Ids.ts"
import type { Outgoing } from "../domain/Outgoing.ts"
import { cut } from "../domain/Text.ts"

/** The message did not get through. `retryable` is false where trying again can't help (bad address, refused key). */
export class ChannelError extends Data.TaggedError("ChannelError")<{
  readonly channel: string
  readonly reason: string
  readonly retryable: boolean
  /** When the other side said to come again, ms from now. */
  readonly retryAfterMs?: number
  /** Whether the message may have been taken although no good answer came. */
  readonly unsure?: boolean
}> {
  override get message(): string {
    return `${this.channel}: ${this.reason}`
  }
}

/** What the environment says for all channels; a channel's own settings win. */
export interface Defaults {
  readonly sendgridApiKey?: Redacted.Redacted | undefined
  readonly slackWebhookUrl?: Redacted.Redacted | undefined
  readonly jiraUrl?: string | undefined
  readonly jiraUsername?: string | undefined
  readonly jiraApiToken?: Redacted.Redacted | undefined
}
/** Where people open the dashboard (LOGLYTICS_PUBLIC_URL), without a slash at its end; messages bear links where it is set. */
export const PublicUrl = Context.Reference<string | undefined>("loglytics/notify/PublicUrl", {
  defaultValue: () => undefined
})
export const Defaults = Context.Reference<Defaults>("loglytics/notify/Defaults", { defaultValue: () => ({}) })

export type Secrets = Readonly<Record<string, string>>

/** One message to send. */
export interface Sending<Settings> {
  readonly project: ProjectId
  readonly settings: Settings
  readonly secrets: Secrets
  readonly message: Outgoing
  /** What the channel remembered when it last told of the same incident; null the first time. */
  readonly previous: Schema.Json | null
  /** An earlier attempt ended without a word on whether the message left: look before you send it again. */
  readonly repeated: boolean
  /** What earlier attempts at this very message noted; null where they noted nothing. */
  readonly progress: Schema.Json | null
  /** Keeps how far this message is, at once and for later attempts; what fails in keeping it is not told. */
  readonly note: (progress: Schema.Json) => Effect.Effect<void>
  /** Epoch ms. */
  readonly now: number
}

export interface Sent {
  /** What the next message of the same incident needs: a message's id, a ticket's key. Kept as JSON. */
  readonly reference: Schema.Json | null
  /** It was sent, but not all is well: some recipients can't be reached. For people to see. */
  readonly warning?: string
}

export interface Channel<Settings = never, R = never> {
  readonly kind: ChannelKind
  /** In words, for those who choose. */
  readonly about: string
  /** What a maker of such a channel must say, without what is secret. */
  readonly settings: Schema.Codec<Settings, unknown>
  /** Which secrets it takes. */
  readonly secrets: ReadonlyArray<{ readonly name: string; readonly about: string }>
  /** How many messages may leave in a second, by what the other side allows. */
  readonly perSecond: number
  /** What is wrong with secrets that are to be kept, without telling them; undefined when nothing is. */
  readonly secretsFault?: (secrets: Secrets) => string | undefined
  /** What would be sent, as JSON; without settings as far as that goes. Pure. */
  readonly preview: (message: Outgoing, settings: Settings | null) => Schema.Json
  readonly send: (sending: Sending<Settings>) => Effect.Effect<Sent, ChannelError, R>
}

const secretMin = 4

/** A text without secrets, fit to be kept and shown; also without the beginning of one where a text was cut in its midst. */
const scrub = (text: string, secrets: Secrets): string => {
  let clean = text
  for (const value of Object.values(secrets)) {
    if (value.length < secretMin) continue
    clean = clean.replaceAll(value, "<secret>")
    for (let at = clean.indexOf("…"); at >= 0; at = clean.indexOf("…", at + 1)) {
      const longest = Math.min(value.length, at)
      for (let size = longest; size >= secretMin; size--) {
        if (!clean.slice(0, at).endsWith(value.slice(0, size))) continue
        clean = `${clean.slice(0, at - size)}<secret>${clean.slice(at)}`
        at += "<secret>".length - size
        break
      }
    }
  }
  return cut(clean, 500)
}

/** The error without secrets. */
export const scrubbed = (error: ChannelError, secrets: Secrets): ChannelError =>
  new ChannelError({
    channel: error.channel,
    reason: scrub(error.reason, secrets),
    retryable: error.retryable,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(error.unsure === undefined ? {} : { unsure: error.unsure })
  })
