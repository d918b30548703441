/** Every notification channel. A new one is a file in channels/, a line here, and a kind in domain/Channel.ts. */
import type { ChannelKind } from "../domain/Channel.ts"
import type { Channel } from "./Channel.ts"
import { email } from "./channels/email.ts"
import { in_app } from "./channels/in_app.ts"
import { jira } from "./channels/jira.ts"
import { push } from "./channels/push.ts"
import { slack } from "./channels/slack.ts"
import { sms } from "./channels/sms.ts"
import { webhook } from "./channels/webhook.ts"
import type { Inbox } from "./Inbox.ts"
import type { LiveBus } from "./LiveBus.ts"

/** What some channel needs. */
export type ChannelServices = Inbox | LiveBus

/** A channel whose settings have been read by its own schema. */
// oxlint-disable-next-line typescript/no-explicit-any -- each kind has settings of its own; its schema reads them first
export type AnyChannel = Channel<any, ChannelServices>

export const channels: Readonly<Record<ChannelKind, AnyChannel>> = {
  email,
  slack,
  jira,
  in_app,
  webhook,
  sms,
  push
}
