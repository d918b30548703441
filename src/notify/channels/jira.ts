/**
 * Jira, Cloud or Data Center, by its REST API 2: one issue per incident; what follows is a comment, an incident that fires again
 * reopens its issue, one that is over may close it. Exactly once: an issue bears a label made of the incident's id and a comment
 * ends with the message's key; both are looked for before anything is written a second time.
 */
import { Effect, Redacted, Schema } from "effect"
import type { Outgoing } from "../../domain/Outgoing.ts"
import { cut } from "../../domain/Text.ts"
import { type Channel, ChannelError, Defaults, scrubbed, type Sending } from "../Channel.ts"
import { accepted, type Answer, call, jsonOf, type Statuses, urlText } from "../Http.ts"
import { incidentTag, labelsOf, samplesOf } from "../Words.ts"

const Settings = Schema.Struct({
  /** Default: JIRA_URL. */
  url: Schema.optionalKey(urlText(300)),
  /** Default: JIRA_USERNAME. Without any the token is sent as a bearer's (Data Center). */
  username: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(320))),
  /** Key of the Jira project, for example OPS. */
  project: Schema.String.check(
    Schema.isPattern(/^[A-Z][A-Z0-9_]{1,30}$/u, { message: "expected the key of a Jira project, such as OPS" })
  ),
  /** Default Task. */
  issueType: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(60))),
  /** Names of Jira's priorities by severity; none is set without. */
  priorities: Schema.optionalKey(
    Schema.Struct({
      info: Schema.optionalKey(Schema.NonEmptyString),
      warning: Schema.optionalKey(Schema.NonEmptyString),
      critical: Schema.optionalKey(Schema.NonEmptyString)
    })
  ),
  labels: Schema.optionalKey(
    Schema.Array(Schema.String.check(Schema.isPattern(/^\S{1,100}$/u))).check(Schema.isMaxLength(20))
  ),
  /** Name of the transition that closes an issue when its incident is over; none: only a comment. */
  closeBy: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(100))),
  /** Name of the transition that reopens it; default: the first that leads out of "done". */
  reopenBy: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(100)))
})
type Settings = typeof Settings.Type

const statuses: Statuses = {
  400: ["can't make an issue of this (a required field, a type or priority that is not there)", false],
  404: ["knows no such issue or project, or does not show it to this user", false],
  409: ["is changing the issue just now", true]
}

/** Jira's own words, of which there are two kinds. */
const detail = (answer: Answer): string | undefined => {
  const body = jsonOf(answer) as
    | { readonly errorMessages?: ReadonlyArray<string>; readonly errors?: Readonly<Record<string, string>> }
    | undefined
  const words = [
    ...(Array.isArray(body?.errorMessages) ? body.errorMessages : []),
    ...Object.entries(body?.errors ?? {}).map(([field, text]) => `${field}: ${text}`)
  ]
  return words.length === 0 ? undefined : cut(words.map(String).join("; "), 200)
}

interface Issue {
  readonly key: string
  readonly done: boolean
  /** What it was made with. */
  readonly description: string
}

interface Found {
  readonly key: string
  readonly fields?: {
    readonly status?: { readonly statusCategory?: { readonly key?: string } }
    readonly description?: unknown
  }
}

const issueOf = ({ fields, key }: Found): Issue => ({
  key,
  done: fields?.status?.statusCategory?.key === "done",
  description: typeof fields?.description === "string" ? fields.description : ""
})

/**
 * A text that is none of wiki markup: no macro, link, mention of a person, picture from elsewhere or table, and no emphasis. In
 * addresses the signs are written as addresses have them, since a backslash would be part of one.
 */
const plain = (text: string): string =>
  text
    .split(/(https?:\/\/\S+)/u)
    .map((part, i) =>
      i % 2 === 1
        ? part.replace(/[{}[\]!|*^\\]/gu, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
        : part
            .replaceAll("\\", "&#92;")
            .replace(/[{}[\]!|*^~]|\?\?|(?<![\p{L}\p{N}])[-_+](?=\S)/gu, (sign) => sign.replace(/./gu, "\\$&"))
    )
    .join("")
/** A text that does not end the block it stands in, however often that is tried. */
const verbatim = (text: string): string => text.replace(/\{(?=noformat)/giu, "{ ")
/** What a comment is known by; searched for as it stands, so it is escaped in this one way for ever. */
const sign = (key: string): string => `loglytics:${key}`.replace(/[{}]/gu, "\\$&")

/** Characters of each part, so that the whole with its sign fits what Jira takes (32,767), whatever is told. */
const partMax = 8_000
const labelsMax = 200

const bodyOf = (message: Outgoing): string => {
  const samples = samplesOf(message, 10)
  const alerts = (message.incident?.alerts ?? []).map((alert) => {
    const labels = cut(labelsOf(alert), labelsMax)
    return `- ${plain(`${alert.rule}: ${alert.reason}${labels === "" ? "" : ` (${labels})`}`)}`
  })
  return [
    cut(plain(message.text), partMax),
    cut(alerts.join("\n"), partMax),
    samples.length === 0 ? "" : `{noformat}\n${cut(verbatim(samples.join("\n")), partMax)}\n{noformat}`,
    message.url === undefined || message.url.length > partMax / 2 ? "" : plain(message.url),
    `_${sign(message.key)}_`
  ]
    .filter((part) => part !== "")
    .join("\n\n")
}

/** What proves who asks, as it is sent. */
const credentials = (username: string | undefined, token: string): string =>
  username === undefined ? token : Buffer.from(`${username}:${token}`).toString("base64")

const connect = (url: string, username: string | undefined, token: string, now: number) => {
  const authorization = `${username === undefined ? "Bearer" : "Basic"} ${credentials(username, token)}`
  return Effect.fnUntraced(function* (method: "GET" | "POST" | "PUT", path: string, body?: unknown) {
    const answer = yield* call({
      channel: "jira",
      method,
      url: `${url.replace(/\/+$/u, "")}/rest/api/2/${path}`,
      headers: { authorization, accept: "application/json", "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    yield* accepted("jira", answer, { now, statuses, detail })
    return jsonOf(answer) as Record<string, unknown> | undefined
  })
}
type Api = ReturnType<typeof connect>

/** The newest issue of an incident. */
const search = Effect.fnUntraced(function* (api: Api, url: string, settings: Settings, tag: string) {
  const jql = `project = "${settings.project}" AND labels = "${tag}" ORDER BY created DESC`
  // Cloud has a path of its own for it, and took the other one away; under a name of one's own it does not look like Cloud.
  const cloud = /\.atlassian\.net$|\.jira\.com$/u.test(new URL(url).hostname)
  const [path, other] = cloud ? ["search/jql", "search"] : ["search", "search/jql"]
  const asked = { jql, maxResults: 1, fields: ["status", "description"] }
  const found = yield* api("POST", path, asked).pipe(
    Effect.catchIf(
      ({ reason }) => /got (?:404|405|410):/u.test(reason),
      () => api("POST", other, asked)
    )
  )
  const issues = (Array.isArray(found?.["issues"]) ? found["issues"] : []) as ReadonlyArray<Found>
  return issues[0] === undefined ? undefined : issueOf(issues[0])
})

/** The issue as it is now; undefined where it was deleted. */
const look = (api: Api, key: string) =>
  Effect.map(api("GET", `issue/${encodeURIComponent(key)}?fields=status,description`), (found) =>
    found === undefined ? undefined : issueOf(found as unknown as Found)
  ).pipe(
    Effect.catchIf(
      (error) => error.reason.includes("got 404"),
      () => Effect.succeed(undefined)
    )
  )

/** A new issue of an incident. */
const fieldsOf = (settings: Settings, message: Outgoing, tag: string) => {
  const priority = settings.priorities?.[message.severity]
  return {
    project: { key: settings.project },
    issuetype: { name: settings.issueType ?? "Task" },
    summary: cut(message.title.replace(/\s+/gu, " "), 250),
    description: bodyOf(message),
    labels: ["loglytics", tag, ...(settings.labels ?? [])],
    ...(priority === undefined ? {} : { priority: { name: priority } })
  }
}

const tagOf = (message: Outgoing): string => incidentTag(message.incident?.id ?? message.key)

const create = Effect.fnUntraced(function* (api: Api, settings: Settings, message: Outgoing, tag: string) {
  const made = yield* api("POST", "issue", { fields: fieldsOf(settings, message, tag) })
  const key = made?.["key"]
  if (typeof key === "string") return key
  return yield* new ChannelError({
    channel: "jira",
    reason: "expected the key of the issue that was made, got an answer without one",
    retryable: true,
    unsure: true
  })
})

interface Transition {
  readonly id: string
  readonly name: string
  readonly to?: { readonly statusCategory?: { readonly key?: string } }
}

/** Moves an issue by a transition; one that is not offered is left, since a person's workflow decides. Answers whether it was. */
const move = Effect.fnUntraced(function* (api: Api, key: string, wanted: (transition: Transition) => boolean) {
  const path = `issue/${encodeURIComponent(key)}/transitions`
  const offered = yield* api("GET", path)
  const list = (Array.isArray(offered?.["transitions"]) ? offered["transitions"] : []) as ReadonlyArray<Transition>
  const chosen = list.find(wanted)
  if (chosen !== undefined) yield* api("POST", path, { transition: { id: chosen.id } })
  return chosen !== undefined
})

const named = (name: string) => (transition: Transition) => transition.name.toLowerCase() === name.toLowerCase()
const leadsOut = ({ to }: Transition) => to?.statusCategory?.key !== undefined && to.statusCategory.key !== "done"

const comment = Effect.fnUntraced(function* (api: Api, key: string, message: Outgoing, repeated: boolean) {
  const path = `issue/${encodeURIComponent(key)}/comment`
  if (repeated) {
    const last = yield* api("GET", `${path}?orderBy=-created&maxResults=50`)
    const comments = (Array.isArray(last?.["comments"]) ? last["comments"] : []) as ReadonlyArray<{
      readonly body?: unknown
    }>
    const wanted = sign(message.key)
    if (comments.some(({ body }) => typeof body === "string" && body.includes(wanted))) return
  }
  yield* api("POST", path, { body: `*${cut(plain(message.title), 500)}*\n\n${bodyOf(message)}` })
})

const keyOf = (previous: Schema.Json | null): string | undefined =>
  typeof previous === "object" && previous !== null && "key" in previous && typeof previous["key"] === "string"
    ? previous["key"]
    : undefined

const unmoved = (key: string, wanted: string): string =>
  `${key} has the comment but stands where it stood: its workflow does not offer the transition ${JSON.stringify(wanted)}`

const deliver = Effect.fnUntraced(function* (api: Api, url: string, sending: Sending<Settings>) {
  const { message, previous, repeated, settings } = sending
  const tag = tagOf(message)
  const known = keyOf(previous)
  const issue = (known === undefined ? undefined : yield* look(api, known)) ?? (yield* search(api, url, settings, tag))
  if (issue === undefined) {
    // What is over and never had an issue needs none now.
    if (message.state === "resolved") return { reference: null }
    return { reference: { key: yield* create(api, settings, message, tag) } }
  }
  const reference = { key: issue.key }
  // It was made of this very message, and only the answer was lost.
  if (issue.description.includes(sign(message.key))) return { reference }
  yield* comment(api, issue.key, message, repeated || known === undefined)
  const { closeBy, reopenBy } = settings
  if (message.state === "firing" && issue.done) {
    const moved = yield* move(api, issue.key, reopenBy === undefined ? leadsOut : named(reopenBy))
    if (!moved) return { reference, warning: unmoved(issue.key, reopenBy ?? "one that leads out of done") }
  }
  if (message.state === "resolved" && !issue.done && closeBy !== undefined) {
    if (!(yield* move(api, issue.key, named(closeBy)))) return { reference, warning: unmoved(issue.key, closeBy) }
  }
  return { reference }
})

export const jira: Channel<Settings> = {
  kind: "jira",
  about: "Jira: an issue per incident, comments as it goes on, reopened when it comes back",
  settings: Settings,
  secrets: [{ name: "apiToken", about: "an API token; by default JIRA_API_TOKEN" }],
  perSecond: 2,
  preview: (message, settings) => ({ fields: fieldsOf(settings ?? { project: "OPS" }, message, tagOf(message)) }),
  send: Effect.fnUntraced(function* (sending) {
    const defaults = yield* Defaults
    const { secrets, settings } = sending
    const fallback = defaults.jiraApiToken
    const token = secrets["apiToken"] ?? (fallback === undefined ? undefined : Redacted.value(fallback))
    const url = settings.url ?? defaults.jiraUrl
    if (token === undefined || url === undefined) {
      const missing =
        url === undefined ? "a URL (setting url, or JIRA_URL)" : "an API token (secret apiToken, or JIRA_API_TOKEN)"
      return yield* new ChannelError({ channel: "jira", reason: `expected ${missing}, got none`, retryable: false })
    }
    const username = settings.username ?? defaults.jiraUsername
    return yield* deliver(connect(url, username, token, sending.now), url, sending).pipe(
      Effect.mapError((error) => scrubbed(error, { ...secrets, token, sent: credentials(username, token) }))
    )
  })
}
