/**
 * Azure Monitor Logs: one table of a Log Analytics workspace. It is read by ingestion time, as Microsoft advises, so lateness
 * of the events themselves does not matter. The API has no pages: each asks for the oldest rows from a moment on, and what
 * shares that moment comes again and is known by `_ItemId`. A partial answer is no answer. Needs @azure/monitor-query-logs and,
 * unless a token is given, @azure/identity. How a row reads is AzureRow's.
 */
import type { TokenCredential } from "@azure/identity"
import type { LogsQueryClient, LogsTable } from "@azure/monitor-query-logs"
import { Schema } from "effect"
import { createHash } from "node:crypto"
import { checkHost } from "../../outside/Addresses.ts"
import { retryAfterMs } from "../Http.ts"
import { type Call, common, type Item, type Meaning, paged, Refused } from "../Paged.ts"
import { clientsMax, keeper, load } from "../Sdk.ts"
import { type Row, toEvent } from "./AzureRow.ts"

const packageName = "@azure/monitor-query-logs"
const Text = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(4_000))

const Config = Schema.Struct({
  workspace_id: Schema.String.check(
    Schema.isPattern(/^[0-9a-fA-F-]{36}$/u, {
      message: "expected a workspace's id, such as 01234567-89ab-cdef-0123-456789abcdef"
    })
  ),
  table: Schema.String.check(
    Schema.isPattern(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/u, { message: "expected a table's name" })
  ),
  /** A condition in KQL, such as `SeverityLevel >= 2`. */
  where: Schema.optionalKey(
    Text.check(Schema.makeFilter((text) => !/[;\n]/u.test(text) || "expected one condition on one line"))
  ),
  /** Another cloud's address, such as https://api.loganalytics.us. */
  endpoint: Schema.optionalKey(
    Schema.String.check(Schema.isPattern(/^https:\/\/\S+$/u, { message: "expected an https URL" }))
  ),
  ...common
})
type Config = typeof Config.Type

/** None: the SDK looks for some itself. */
const Secrets = Schema.Struct({
  tenant_id: Schema.optionalKey(Text),
  client_id: Schema.optionalKey(Text),
  client_secret: Schema.optionalKey(Text),
  /** A token made elsewhere; it ends after an hour. */
  access_token: Schema.optionalKey(Text)
}).check(
  Schema.makeFilter(({ access_token, client_id, client_secret, tenant_id }) => {
    const given = [tenant_id, client_id, client_secret].filter((part) => part !== undefined).length
    return (
      given === 0 ||
      (given === 3 && access_token === undefined) ||
      "expected tenant_id, client_id and client_secret, or access_token, or nothing"
    )
  })
)

const credentialOf = async (secrets: Readonly<Record<string, string>>): Promise<TokenCredential> => {
  const { access_token, client_id, client_secret, tenant_id } = secrets
  if (access_token !== undefined) {
    return { getToken: () => Promise.resolve({ token: access_token, expiresOnTimestamp: Date.now() + 3_600_000 }) }
  }
  const identity = await load("@azure/identity", () => import("@azure/identity"))
  return tenant_id === undefined || client_id === undefined || client_secret === undefined
    ? new identity.DefaultAzureCredential()
    : new identity.ClientSecretCredential(tenant_id, client_id, client_secret)
}

const clients = keeper<LogsQueryClient>(clientsMax)

const clientOf = (config: Config, secrets: Readonly<Record<string, string>>) =>
  clients([config.endpoint, secrets], async () => {
    const { LogsQueryClient: Client } = await load(packageName, () => import("@azure/monitor-query-logs"))
    return new Client(await credentialOf(secrets), {
      retryOptions: { maxRetries: 0 },
      ...(config.endpoint === undefined
        ? {}
        : { endpoint: config.endpoint, audience: `${new URL(config.endpoint).origin}/.default` })
    })
  })

interface AzureError {
  readonly code?: string
  readonly statusCode?: number
  readonly response?: { readonly headers?: { readonly get: (name: string) => string | undefined } }
}

/** What an error of the SDK means; exported for tests. */
export const meaning = (error: unknown): Meaning | undefined => {
  if (!(error instanceof Error)) return undefined
  const { code, response, statusCode: status } = error as AzureError
  const got = `${code ?? error.name}: ${error.message}`
  const after = retryAfterMs(response?.headers?.get("retry-after"))
  if (status === 429) return { fault: "throttled", expected: "an answer", got, retryAfterMs: after }
  if (
    status === 401 ||
    status === 403 ||
    /AuthenticationError|CredentialUnavailable|AuthenticationRequired/u.test(error.name)
  ) {
    return { fault: "denied", expected: "the right to read the workspace (Log Analytics Reader)", got }
  }
  if (status === 404) return { fault: "missing", expected: "a workspace that exists", got }
  if (status === 400) return { fault: "settings", expected: "settings that Azure Monitor takes", got }
  if (status !== undefined && status >= 500)
    return { fault: "unreachable", expected: "an answer", got, retryAfterMs: after }
  return undefined
}

/** Rows that one answer can hold, as Microsoft limits it. */
const rowsMax = 500_000
/** How far an event's own time may lie from its ingestion, as Azure limits it, ms. */
const backMs = 2 * 24 * 3_600_000
const aheadMs = 24 * 3_600_000
const halvingsMax = 6

/** Where a page begins; `moment`: it is all of that one ms, which did not fit in a page together with others. */
interface Token {
  readonly from: number
  readonly moment: boolean
}

const tokenOf = (text: string | undefined, from: number): Token => {
  const [at, moment] = text?.split(":") ?? []
  return at === undefined ? { from, moment: false } : { from: Number(at), moment: moment === "1" }
}

const iso = (ms: number): string => `datetime(${new Date(ms).toISOString()})`

/** The query for the oldest rows of [from, to); exported for tests. */
export const queryOf = (config: Pick<Config, "table" | "where">, from: number, to: number, limit: number): string =>
  [
    config.table,
    `where ingestion_time() >= ${iso(from)} and ingestion_time() < ${iso(to)}`,
    ...(config.where === undefined ? [] : [`where ${config.where}`]),
    "extend _loglytics_ingested = ingestion_time()",
    "order by _loglytics_ingested asc",
    `take ${limit}`
  ].join(" | ")

const rowsOf = (table: LogsTable | undefined): ReadonlyArray<Row> =>
  (table?.rows ?? []).map((values) =>
    Object.fromEntries((table?.columnDescriptors ?? []).map(({ name }, i) => [name ?? `column_${i}`, values[i]]))
  )

/** The rows of one query, with fewer of them where the answer would be too large. */
const ask = async (
  call: Call<Config>,
  { from, moment }: Token
): Promise<{ readonly rows: ReadonlyArray<Row>; readonly limit: number }> => {
  const client = await clientOf(call.config, call.secrets)
  const timespan = { startTime: new Date(from - backMs), endTime: new Date(call.to + aheadMs) }
  const to = moment ? from + 1 : call.to
  let limit = moment ? rowsMax : call.limit
  for (let halvings = 0; ; halvings++) {
    const query = queryOf(call.config, from, to, limit)
    const answer = await client.queryWorkspace(call.config.workspace_id, query, timespan, { abortSignal: call.signal })
    if (!("partialError" in answer)) {
      const [table] = answer.tables ?? []
      // An answer that is no table must not be taken for an empty one.
      if (table?.columnDescriptors === undefined || table.columnDescriptors.length === 0) {
        throw new Refused({ fault: "unreachable", expected: "a table", got: "something else" })
      }
      return { rows: rowsOf(table), limit }
    }
    const { code, message } = answer.partialError
    if (halvings === halvingsMax || limit === 1 || moment) {
      throw new Refused({ fault: "incomplete", expected: "a whole answer", got: `a part of it (${code}: ${message})` })
    }
    limit = Math.ceil(limit / 2)
  }
}

const timeOf = (value: unknown): number | undefined => {
  const ms = value instanceof Date ? value.getTime() : typeof value === "string" ? Date.parse(value) : Number.NaN
  return Number.isFinite(ms) ? ms : undefined
}

const itemOf =
  (config: Config, from: number) =>
  (row: Row): Item => {
    const { _loglytics_ingested: stamp, ...rest } = row
    const ingested = timeOf(stamp) ?? from
    const id = typeof rest["_ItemId"] === "string" && rest["_ItemId"] !== "" ? rest["_ItemId"] : undefined
    return {
      id: id ?? createHash("sha1").update(JSON.stringify(row)).digest("base64url"),
      time: ingested,
      ingested,
      event: () => toEvent(config.table, rest)
    }
  }

export const azure_monitor = paged<Config>({
  kind: "azure_monitor",
  config: Config,
  secrets: Secrets,
  identity: ({ endpoint, table, where, workspace_id }) =>
    `azure_monitor ${workspace_id} ${table}${[where, endpoint].map((part) => (part === undefined ? "" : ` ${part}`)).join("")}`,
  account: ({ endpoint, workspace_id }) => (endpoint === undefined ? `azure_monitor ${workspace_id}` : undefined),
  // 200 in 30 s and user.
  rate: { perSecond: 5, burst: 5 },
  pageMax: 5_000,
  rescanHours: 0,
  meaning,
  page: async (call) => {
    if (call.config.endpoint !== undefined) await checkHost(new URL(call.config.endpoint), call.allowPrivate)
    const token = tokenOf(call.token, call.from)
    const { limit, rows } = await ask(call, token)
    const items = rows.map(itemOf(call.config, token.from))
    if (token.moment) {
      if (items.length >= rowsMax) {
        throw new Refused({
          fault: "incomplete",
          expected: `fewer than ${rowsMax} rows ingested in one ms`,
          got: "more"
        })
      }
      return { items, token: `${token.from + 1}:0` }
    }
    if (items.length < limit) return { items }
    const last = items.at(-1)?.time ?? token.from
    return { items, token: last > token.from ? `${last}:0` : `${last}:1` }
  }
})
