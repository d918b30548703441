/** One message by a channel of the kind `sms` (Sending.ts says what is promised). */
import { define, handler } from "./Sending.ts"

export const SendSms = define("send_sms", "sms")

export const SendSmsLive = SendSms.toLayer(handler)
