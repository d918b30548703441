/** One message by a channel of the kind `push` (Sending.ts says what is promised). */
import { define, handler } from "./Sending.ts"

export const SendPushNotification = define("send_push_notification", "push")

export const SendPushNotificationLive = SendPushNotification.toLayer(handler)
