/**
 * Jira's REST API 2 as far as the channel speaks it: issues, comments, transitions, search by label. Data Center, until it is told to
 * be Cloud, which searches at another path.
 */
import { type Fake, startFake } from "./Fake.ts"

export interface FakeIssue {
  readonly key: string
  readonly fields: Record<string, unknown>
  readonly comments: Array<string>
  done: boolean
}

export interface FakeJira extends Fake {
  readonly issues: Array<FakeIssue>
  /** What it is at the moment. */
  readonly is: { cloud: boolean }
}

export const startJira = async (): Promise<FakeJira> => {
  const issues: Array<FakeIssue> = []
  const is = { cloud: false }
  const statusOf = ({ done, fields, key }: FakeIssue) => ({
    key,
    fields: { status: { statusCategory: { key: done ? "done" : "new" } }, description: fields["description"] }
  })
  const auth = `Basic ${Buffer.from("bot@example.com:token-of-jira").toString("base64")}`
  const fake = await startFake(({ body, headers, method, path }) => {
    if (headers.authorization !== auth) return { status: 401, body: { errorMessages: ["who are you?"] } }
    const data = (body === "" ? {} : JSON.parse(body)) as Record<string, never>
    const route = path.replace("/rest/api/2/", "").split("?")[0] ?? ""
    if (route === "search" && is.cloud) {
      return { status: 410, body: { errorMessages: ["The requested API has been removed."], errors: {} } }
    }
    if (route === (is.cloud ? "search/jql" : "search")) {
      const label = /labels = "([^"]+)"/u.exec(data["jql"] ?? "")?.[1]
      const found = issues.filter(({ fields }) => (fields["labels"] as Array<string>).includes(label ?? ""))
      return { status: 200, body: { issues: found.toReversed().slice(0, 1).map(statusOf) } }
    }
    if (route === "issue" && method === "POST") {
      const fields = data["fields"] as unknown as Record<string, never>
      if ((fields["issuetype"] as unknown as { name: string }).name !== "Task") {
        return { status: 400, body: { errorMessages: [], errors: { issuetype: "valid issue type is required" } } }
      }
      const issue = { key: `OPS-${issues.length + 1}`, fields, comments: [], done: false }
      issues.push(issue)
      return { status: 201, body: { id: "1", key: issue.key } }
    }
    const [, key, part] = /^issue\/([A-Z]+-\d+)(?:\/(\w+))?$/u.exec(route) ?? []
    const issue = issues.find((one) => one.key === key)
    if (issue === undefined) return { status: 404, body: { errorMessages: ["Issue does not exist"] } }
    if (part === undefined) return { status: 200, body: statusOf(issue) }
    if (part === "comment") {
      if (method === "GET") return { status: 200, body: { comments: issue.comments.map((text) => ({ body: text })) } }
      issue.comments.push(String(data["body"]))
      return { status: 201, body: { id: "1" } }
    }
    if (method === "GET") {
      const transitions = [
        { id: "11", name: "Reopen", to: { statusCategory: { key: "new" } } },
        { id: "21", name: "Close", to: { statusCategory: { key: "done" } } }
      ]
      return { status: 200, body: { transitions: transitions.filter(({ name }) => (name === "Close") !== issue.done) } }
    }
    issue.done = (data["transition"] as unknown as { id: string }).id === "21"
    return { status: 204 }
  })
  return { ...fake, issues, is }
}
