/**
 * Every setting of the product in one table: name, default, meaning, and how a value is read. Promises that a wrong value
 * is refused at boot with its name, what was expected and what was got, all faults at once; `.env.example` and `--help` are
 * printed from the same table. It reads only what it is given: the launcher has merged `.env` into the environment.
 */
import { Redacted } from "effect"
import { readRedisUrl } from "./streams/RedisUrl.ts"

interface Setting<A> {
  readonly name: string
  /** What a good value looks like, for error messages. */
  readonly expected: string
  readonly doc: string
  /** As written in `.env.example`; undefined means "not set". */
  readonly example: string | undefined
  readonly secret: boolean
  /** undefined: the value is wrong. */
  readonly read: (text: string) => A | undefined
  readonly fallback: A
  /** What is wrong with a value that `read` refuses, where that can be told more exactly; never tells a secret. */
  readonly why?: ((text: string) => string) | undefined
}

const setting = <A>(
  name: string,
  expected: string,
  doc: string,
  fallback: A,
  read: (text: string) => A | undefined,
  options?: { readonly example?: string; readonly secret?: boolean; readonly why?: (text: string) => string }
): Setting<A> => ({
  name,
  expected,
  doc,
  fallback,
  read,
  example: options?.example,
  secret: options?.secret ?? false,
  why: options?.why
})

const int = (min: number, max: number) => (text: string) => {
  const n = Number(text)
  return /^\d+$/u.test(text) && n >= min && n <= max ? n : undefined
}
const url =
  (...protocols: ReadonlyArray<string>) =>
  (text: string) => {
    const parsed = URL.parse(text)
    return parsed !== null && protocols.includes(parsed.protocol) ? text : undefined
  }
const secretUrl = (...protocols: ReadonlyArray<string>) => {
  const read = url(...protocols)
  return (text: string) => {
    const value = read(text)
    return value === undefined ? undefined : Redacted.make(value)
  }
}
const text = (value: string) => (value.trim() === "" ? undefined : value)
const secret = (value: string) => (value.trim() === "" ? undefined : Redacted.make(value))

const whyNot = (value: string): string => {
  const found = readRedisUrl(value)
  return found.ok ? "" : `expected ${found.expected}, got ${found.got}`
}

const table = {
  port: setting(
    "PORT",
    "a port, 0 to 65535 (0 = any free one)",
    "Port of the HTTP API, the dashboard and the WebSocket.",
    8080,
    int(0, 65_535),
    { example: "8080" }
  ),
  host: setting("HOST", "an address to listen on", "Address to listen on; 0.0.0.0 for all.", "127.0.0.1", text, {
    example: "127.0.0.1"
  }),
  apiKey: setting<Redacted.Redacted | undefined>(
    "LOGLYTICS_API_KEY",
    "at least 16 letters, digits, - or _",
    "The first admin key. Made and printed once where it is not set.",
    undefined,
    (value) => (/^[A-Za-z0-9_-]{16,200}$/u.test(value) ? Redacted.make(value) : undefined),
    { secret: true }
  ),
  redisUrl: setting<Redacted.Redacted>(
    "REDIS_URL",
    "a redis:// or rediss:// URL, with +cluster or +sentinel for these",
    "Redis 7 or newer, or Valkey; alone, a Cluster or with sentinels. Found or started where it is not set.",
    Redacted.make("redis://127.0.0.1:6379"),
    (value) => (readRedisUrl(value).ok ? Redacted.make(value) : undefined),
    { secret: true, why: whyNot }
  ),
  databaseUrl: setting<Redacted.Redacted>(
    "DATABASE_URL",
    "a postgres:// or postgresql:// URL",
    "Postgres 15 or newer. Found or started where it is not set.",
    Redacted.make("postgres://postgres@127.0.0.1:5432/postgres"),
    secretUrl("postgres:", "postgresql:"),
    { secret: true }
  ),
  namespace: setting(
    "LOGLYTICS_NAMESPACE",
    "1 to 32 letters, digits, - or _",
    "First part of every Redis key.",
    "lg",
    (value) => (/^[A-Za-z0-9_-]{1,32}$/u.test(value) ? value : undefined),
    { example: "lg" }
  ),
  databaseSchema: setting(
    "LOGLYTICS_DATABASE_SCHEMA",
    "a lower-case SQL name of 1 to 63 characters",
    "Postgres schema that holds all tables.",
    "loglytics",
    (value) => (/^[a-z_][a-z0-9_]{0,62}$/u.test(value) ? value : undefined),
    { example: "loglytics" }
  ),
  dataDir: setting(
    "LOGLYTICS_DATA_DIR",
    "a folder",
    "Uploaded files, and the servers that `npm start` runs itself.",
    ".loglytics",
    text,
    { example: ".loglytics" }
  ),
  concurrency: setting(
    "LOGLYTICS_CONCURRENCY",
    "a whole number, 1 to 1000",
    "Jobs that one process runs at the same time.",
    4,
    int(1, 1_000),
    { example: "4" }
  ),
  maxMemoryMb: setting<number | undefined>(
    "LOGLYTICS_MAX_MEMORY_MB",
    "a whole number of MiB, 128 to 1000000",
    "Memory of a process with workers, above which it drains and is started again. No limit where it is not set.",
    undefined,
    int(128, 1_000_000)
  ),
  logPartitions: setting(
    "LOGLYTICS_LOG_PARTITIONS",
    "a whole number, 1 to 256",
    "Partitions of the log stream; drain before you change it.",
    4,
    int(1, 256),
    { example: "4" }
  ),
  logBacklogMb: setting(
    "LOGLYTICS_LOG_BACKLOG_MB",
    "a whole number of megabytes, 1 to 65536",
    "Unprocessed lines that a partition may hold before the API answers 429.",
    256,
    int(1, 65_536),
    { example: "256" }
  ),
  bodyMaxMb: setting(
    "LOGLYTICS_BODY_MAX_MB",
    "a whole number of megabytes, 1 to 65536",
    "Largest body (unpacked) of POST /v1/logs and /logs/upload before the API answers 413.",
    512,
    int(1, 65_536),
    { example: "512" }
  ),
  sendgridApiKey: setting<Redacted.Redacted | undefined>(
    "SENDGRID_API_KEY",
    "a SendGrid API key",
    "For e-mail (channel still to come).",
    undefined,
    secret,
    { secret: true }
  ),
  slackWebhookUrl: setting<Redacted.Redacted | undefined>(
    "SLACK_WEBHOOK_URL",
    "an https:// URL",
    "For Slack (channel still to come).",
    undefined,
    secretUrl("https:", "http:"),
    { secret: true }
  ),
  jiraUrl: setting<string | undefined>(
    "JIRA_URL",
    "an https:// URL",
    "For Jira (channel still to come).",
    undefined,
    url("https:", "http:")
  ),
  jiraUsername: setting<string | undefined>("JIRA_USERNAME", "a user name", "For Jira.", undefined, text),
  jiraApiToken: setting<Redacted.Redacted | undefined>(
    "JIRA_API_TOKEN",
    "a Jira API token",
    "For Jira.",
    undefined,
    secret,
    { secret: true }
  )
}

type Table = typeof table
export type Settings = { readonly [K in keyof Table]: Table[K] extends Setting<infer A> ? A : never }

export type ReadSettings =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly faults: ReadonlyArray<string> }

/** Reads all settings from an environment. An empty value counts as not set. */
export const read = (env: Readonly<Record<string, string | undefined>>): ReadSettings => {
  const faults: Array<string> = []
  const settings: Record<string, unknown> = {}
  for (const [key, one] of Object.entries(table) as ReadonlyArray<[string, Setting<unknown>]>) {
    const raw = env[one.name]
    if (raw === undefined || raw === "") {
      settings[key] = one.fallback
      continue
    }
    const value = one.read(raw)
    if (value === undefined)
      faults.push(
        `${one.name}: ${one.why?.(raw) ?? `expected ${one.expected}, got ${one.secret ? hidden(raw) : JSON.stringify(raw)}`}`
      )
    else settings[key] = value
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, settings: settings as unknown as Settings }
}

/** Says what was got without telling a secret. */
const hidden = (raw: string): string =>
  `${raw.length} characters${raw.includes("://") ? ` starting with "${raw.split("://")[0]}://"` : ""}`

/** The text of `.env.example`. */
export const envExample = (): string =>
  [
    "# Settings of Loglytics, printed by `loglytics env`. Copy to .env and change what you need.",
    "# The real environment wins over .env.",
    ...Object.values(table).flatMap((one) => [
      "",
      `# ${one.doc}`,
      `# Expected: ${one.expected}.`,
      `${one.example === undefined ? "# " : ""}${one.name}=${one.example ?? ""}`
    ]),
    ""
  ].join("\n")
