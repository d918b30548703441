/** One message by a channel of the kind `in_app` (Sending.ts says what is promised). */
import { define, handler } from "./Sending.ts"

export const SendInAppNotification = define("send_in_app_notification", "in_app")

export const SendInAppNotificationLive = SendInAppNotification.toLayer(handler)
