/** One message by a channel of the kind `slack` (Sending.ts says what is promised). */
import { define, handler } from "./Sending.ts"

export const SendSlackNotification = define("send_slack_notification", "slack")

export const SendSlackNotificationLive = SendSlackNotification.toLayer(handler)
