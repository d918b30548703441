/** One message by a channel of the kind `email` (Sending.ts says what is promised). */
import { define, handler } from "./Sending.ts"

export const SendEmail = define("send_email", "email")

export const SendEmailLive = SendEmail.toLayer(handler)
