/** One message by a channel of the kind `webhook` (Sending.ts says what is promised). */
import { define, handler } from "./Sending.ts"

export const SendWebhook = define("send_webhook", "webhook")

export const SendWebhookLive = SendWebhook.toLayer(handler)
