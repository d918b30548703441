/**
 * Google Cloud Logging: a project's entries by entries.list, oldest first, in pages of at most 1,000. The package
 * @google-cloud/logging is asked for credentials only; the call itself is made here, over REST, because the package's own REST
 * mode refuses a whole page for one audit entry, and over gRPC such entries are bytes. How an entry reads is GcpEntry's.
 */
import { Schema } from "effect"
import * as Http from "../Http.ts"
import { common, type Item, type Meaning, paged, Refused } from "../Paged.ts"
import { clientsMax, keeper, load } from "../Sdk.ts"
import { type Entry, millisOf, toEvent } from "./GcpEntry.ts"

const packageName = "@google-cloud/logging"
const Text = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(16_000))

const Config = Schema.Struct({
  project: Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9.:-]{3,60}$/u, { message: "expected a project's id" })),
  /** In the Logging query language; the time is added. */
  filter: Schema.optionalKey(Text),
  /** Another server that speaks this API. */
  endpoint: Schema.optionalKey(
    Schema.String.check(Schema.isPattern(/^https?:\/\/\S+$/u, { message: "expected an http or https URL" }))
  ),
  ...common
})
type Config = typeof Config.Type

/** None: the SDK looks for some itself. */
const Secrets = Schema.Struct({
  /** A service account's key file, as it is. */
  service_account: Schema.optionalKey(
    Text.check(
      Schema.makeFilter((text) => accountOf(text) !== undefined || "expected the JSON of a service account's key")
    )
  ),
  /** A token made elsewhere; it ends after an hour. */
  access_token: Schema.optionalKey(Text)
}).check(
  Schema.makeFilter(
    ({ access_token, service_account }) =>
      access_token === undefined ||
      service_account === undefined ||
      "expected service_account or access_token, not both"
  )
)

interface Account {
  readonly client_email: string
  readonly private_key: string
}

/** Only these two fields: others of such a file can name programs and addresses. */
function accountOf(text: string): Account | undefined {
  try {
    const { client_email, private_key } = JSON.parse(text) as Partial<Account>
    return typeof client_email === "string" && typeof private_key === "string"
      ? { client_email, private_key }
      : undefined
  } catch {
    return undefined
  }
}

interface Credentials {
  readonly headers: () => Promise<Record<string, string>>
}
const clients = keeper<Credentials>(clientsMax)

const credentialsOf = (config: Config, secrets: Readonly<Record<string, string>>) =>
  clients([config.project, secrets], async () => {
    const { access_token, service_account } = secrets
    if (access_token !== undefined) return { headers: async () => ({ authorization: `Bearer ${access_token}` }) }
    const { Logging } = await load(packageName, () => import("@google-cloud/logging"))
    const credentials = service_account === undefined ? undefined : accountOf(service_account)
    const logging = new Logging({ projectId: config.project, ...(credentials === undefined ? {} : { credentials }) })
    return {
      headers: async () => {
        const found = await logging.auth.getRequestHeaders().catch((error: unknown) => {
          const got = error instanceof Error ? error.message : String(error)
          throw new Refused({ fault: "denied", expected: "credentials that Google takes", got })
        })
        return Object.fromEntries(found.entries())
      }
    }
  })

/** Bytes of one answer at most. */
const answerMax = 256 * 1_024 * 1_024

interface Answer {
  readonly entries?: ReadonlyArray<Entry>
  readonly nextPageToken?: string
  readonly error?: {
    readonly message?: string
    readonly status?: string
    readonly details?: ReadonlyArray<{ readonly retryDelay?: string }>
  }
}

/** What an answer that is no page means; exported for tests. */
export const meaningOf = (
  status: number,
  error: Answer["error"],
  retryAfter: string | undefined,
  hasToken: boolean
): Meaning => {
  const got = `status ${status}${error?.message === undefined ? "" : `: ${error.message}`}`
  const delay = error?.details?.find(({ retryDelay }) => retryDelay !== undefined)?.retryDelay?.replace(/s$/u, "")
  const retryAfterMs = Http.retryAfterMs(retryAfter) ?? Http.retryAfterMs(delay)
  if (status === 429) return { fault: "throttled", expected: "an answer", got, retryAfterMs }
  if (status === 401 || status === 403) return { fault: "denied", expected: "the right logging.logEntries.list", got }
  if (status === 404) return { fault: "missing", expected: "a project that exists", got }
  if (status >= 500) return { fault: "unreachable", expected: "an answer", got, retryAfterMs }
  if (status === 400 && hasToken && /token/iu.test(error?.message ?? ""))
    return { fault: "token", expected: "a token that is still good", got }
  return { fault: "settings", expected: "settings that Cloud Logging takes", got }
}

const list = async (
  url: URL,
  headers: Record<string, string>,
  body: unknown,
  signal: AbortSignal,
  allowPrivate: boolean
) => {
  const answer = await Http.ask(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body),
    signal,
    allowPrivate
  })
  const text = await Http.textOf(answer, answerMax)
  let value: Answer | undefined
  try {
    value = JSON.parse(text) as Answer
  } catch {
    value = undefined
  }
  return { status: answer.status, value, retryAfter: answer.header("retry-after") }
}

export const gcp_logging = paged<Config>({
  kind: "gcp_logging",
  config: Config,
  secrets: Secrets,
  identity: ({ endpoint, filter, project }) =>
    `gcp_logging ${project}${[filter, endpoint].map((part) => (part === undefined ? "" : ` ${part}`)).join("")}`,
  account: ({ endpoint, project }) => (endpoint === undefined ? `gcp_logging ${project}` : undefined),
  // 60 a minute and project.
  rate: { perSecond: 1, burst: 20 },
  pageMax: 1_000,
  rescanHours: 24,
  meaning: () => undefined,
  page: async ({ allowPrivate, config, from, limit, secrets, signal, to, token }) => {
    const credentials = await credentialsOf(config, secrets)
    const own = config.filter === undefined ? "" : ` AND (${config.filter})`
    const url = new URL("/v2/entries:list", config.endpoint ?? "https://logging.googleapis.com")
    const window = `timestamp >= "${new Date(from).toISOString()}" AND timestamp < "${new Date(to).toISOString()}"`
    const body = {
      resourceNames: [`projects/${config.project}`],
      filter: `${window}${own}`,
      orderBy: "timestamp asc",
      pageSize: limit,
      ...(token === undefined ? {} : { pageToken: token })
    }
    const { retryAfter, status, value } = await list(url, await credentials.headers(), body, signal, allowPrivate)
    if (status !== 200) throw new Refused(meaningOf(status, value?.error, retryAfter, token !== undefined))
    if (value === undefined) throw new Refused({ fault: "unreachable", expected: "JSON", got: "something else" })
    return {
      items: (value.entries ?? []).map((entry): Item => {
        const time = Math.floor(millisOf(entry.timestamp) ?? millisOf(entry.receiveTimestamp) ?? from)
        return {
          id: `${entry.logName ?? ""}\n${entry.timestamp ?? ""}\n${entry.insertId ?? JSON.stringify(entry)}`,
          time,
          ingested: Math.ceil(millisOf(entry.receiveTimestamp) ?? time),
          event: () => toEvent(entry)
        }
      }),
      token: value.nextPageToken === "" ? undefined : value.nextPageToken
    }
  }
})
