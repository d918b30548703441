/** One message by a channel of the kind `jira` (Sending.ts says what is promised). */
import { define, handler } from "./Sending.ts"

export const CreateJiraTicket = define("create_jira_ticket", "jira")

export const CreateJiraTicketLive = CreateJiraTicket.toLayer(handler)
