/** Every notification channel. A new one is a file in channels/ and a line here. */
import { in_app } from "./channels/in_app.ts"

export const channels = { in_app } as const
