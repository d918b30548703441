/** Which task sends by which kind of channel. A new one is a file beside this one, a line here and two in tasks/all.ts. */
import type { ChannelKind } from "../../domain/Channel.ts"
import { CreateJiraTicket } from "./create_jira_ticket.ts"
import { SendEmail } from "./send_email.ts"
import { SendInAppNotification } from "./send_in_app_notification.ts"
import { SendPushNotification } from "./send_push_notification.ts"
import { SendSlackNotification } from "./send_slack_notification.ts"
import { SendSms } from "./send_sms.ts"
import { SendWebhook } from "./send_webhook.ts"

export const senders = {
  email: SendEmail,
  slack: SendSlackNotification,
  jira: CreateJiraTicket,
  in_app: SendInAppNotification,
  webhook: SendWebhook,
  sms: SendSms,
  push: SendPushNotification
} as const satisfies Record<ChannelKind, unknown>

/** A kind that messages can be sent by. */
export type SentKind = keyof typeof senders

export const isSent = (kind: string): kind is SentKind => Object.hasOwn(senders, kind)
