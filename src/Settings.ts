/**
 * Every setting of the product in one table: name, default, meaning, and how a value is read. Promises that a wrong value
 * is refused at boot with its name, what was expected and what was got, all faults at once; `.env.example` and `--help` are
 * printed from the same table. It reads only what it is given: the launcher has merged `.env` into the environment.
 */
import { Redacted, Schema } from "effect"
import { type Admission, readAdmission } from "./domain/Admission.ts"
import { ProjectId } from "./domain/Ids.ts"
import { defaultProject } from "./domain/Project.ts"
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

/** Names parted by commas, each of this shape. */
const list = (each: RegExp) => (value: string) => {
  const parts = value.split(",").map((part) => part.trim())
  return parts.every((part) => each.test(part)) ? parts : undefined
}
/** Which project lines go to that come without a key. */
const project = (name: string, from: string) =>
  setting(
    name,
    "a project's id",
    `Project that lines by ${from} go to.`,
    defaultProject,
    (value) => (Schema.is(ProjectId)(value) ? value : undefined),
    { example: defaultProject }
  )

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
  publicUrl: setting<string | undefined>(
    "LOGLYTICS_PUBLIC_URL",
    "the http:// or https:// URL at which people open the dashboard",
    "Where links in messages lead; without it messages bear none.",
    undefined,
    (value) => url("https:", "http:")(value)?.replace(/\/+$/u, "")
  ),
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
    "Largest body (unpacked) of POST /v1/logs before the API answers 413.",
    512,
    int(1, 65_536),
    { example: "512" }
  ),
  uploadMaxMb: setting(
    "LOGLYTICS_UPLOAD_MAX_MB",
    "a whole number of megabytes, 1 to 1048576",
    "Largest file that POST /logs/upload keeps before it answers 413.",
    10_240,
    int(1, 1_048_576),
    { example: "10240" }
  ),
  listenHost: setting<string | undefined>(
    "LOGLYTICS_LISTEN_HOST",
    "an address to listen on",
    "Address of the syslog and forward listeners, which ask for no key; HOST where it is not set.",
    undefined,
    text
  ),
  listenAllow: setting<Admission>(
    "LOGLYTICS_LISTEN_ALLOW",
    "addresses and networks, parted by commas (10.0.0.0/8, fd00::1)",
    "Who may send to these listeners; everybody who can reach them where it is not set.",
    () => true,
    readAdmission
  ),
  syslogPort: setting<number | undefined>(
    "LOGLYTICS_SYSLOG_PORT",
    "a port, 1 to 65535",
    "Port on which syslog is heard over TCP and UDP; off where it is not set.",
    undefined,
    int(1, 65_535)
  ),
  syslogProject: project("LOGLYTICS_SYSLOG_PROJECT", "syslog"),
  forwardPort: setting<number | undefined>(
    "LOGLYTICS_FORWARD_PORT",
    "a port, 1 to 65535",
    "Port for Fluentd, Fluent Bit and Docker (forward protocol, usually 24224); off where it is not set.",
    undefined,
    int(1, 65_535)
  ),
  forwardProject: project("LOGLYTICS_FORWARD_PROJECT", "the forward protocol"),
  forwardSharedKey: setting<Redacted.Redacted | undefined>(
    "LOGLYTICS_FORWARD_SHARED_KEY",
    "the shared key of the senders",
    "Senders of the forward protocol must prove that they know it, where it is set.",
    undefined,
    secret,
    { secret: true }
  ),
  kafkaBrokers: setting<ReadonlyArray<string>>(
    "LOGLYTICS_KAFKA_BROKERS",
    "host:port, parted by commas",
    "Kafka brokers to read topics from; needs the package kafkajs.",
    [],
    list(/^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/u)
  ),
  kafkaTopics: setting<ReadonlyArray<string>>(
    "LOGLYTICS_KAFKA_TOPICS",
    "names of topics, parted by commas",
    "Topics whose messages are log lines; off where it is not set.",
    [],
    list(/^[A-Za-z0-9._-]{1,249}$/u)
  ),
  kafkaGroup: setting(
    "LOGLYTICS_KAFKA_GROUP",
    "1 to 200 letters, digits, ., - or _",
    "Consumer group that several processes share the partitions by.",
    "loglytics",
    (value) => (/^[A-Za-z0-9._-]{1,200}$/u.test(value) ? value : undefined),
    { example: "loglytics" }
  ),
  kafkaProject: project("LOGLYTICS_KAFKA_PROJECT", "Kafka"),
  kafkaTls: setting(
    "LOGLYTICS_KAFKA_TLS",
    "true or false",
    "Whether brokers are spoken to over TLS; NODE_EXTRA_CA_CERTS names an authority of your own.",
    false,
    (value) => (value === "true" ? true : value === "false" ? false : undefined),
    { example: "false" }
  ),
  kafkaMechanism: setting<"plain" | "scram-sha-256" | "scram-sha-512">(
    "LOGLYTICS_KAFKA_MECHANISM",
    "plain, scram-sha-256 or scram-sha-512",
    "How the user below is shown to the brokers.",
    "scram-sha-512",
    (value) => (value === "plain" || value === "scram-sha-256" || value === "scram-sha-512" ? value : undefined),
    { example: "scram-sha-512" }
  ),
  kafkaUser: setting<string | undefined>("LOGLYTICS_KAFKA_USER", "a user name", "Kafka's user.", undefined, text),
  kafkaPassword: setting<Redacted.Redacted | undefined>(
    "LOGLYTICS_KAFKA_PASSWORD",
    "a password",
    "The user's password.",
    undefined,
    secret,
    { secret: true }
  ),
  secretKey: setting<ReadonlyArray<Redacted.Redacted> | undefined>(
    "LOGLYTICS_SECRET_KEY",
    "at least 32 letters, digits, +, /, =, - or _; several parted by commas, the newest first",
    "Seals the credentials of connections. Made once in the data folder where it is not set.",
    undefined,
    (value) => {
      const keys = list(/^[A-Za-z0-9+/=_-]{32,512}$/u)(value)
      return keys?.map((key) => Redacted.make(key))
    },
    { secret: true }
  ),
  allowPrivateUrls: setting(
    "LOGLYTICS_ALLOW_PRIVATE_URLS",
    "true or false",
    "Whether connections may fetch from this host and from private networks.",
    false,
    (value) => (value === "true" ? true : value === "false" ? false : undefined),
    { example: "false" }
  ),
  embeddingsUrl: setting<string | undefined>(
    "LOGLYTICS_EMBEDDINGS_URL",
    "an https:// URL, such as https://api.openai.com/v1",
    "Server with OpenAI's POST /embeddings, which patterns (redacted) and questions are sent to. None where it is not set.",
    undefined,
    url("https:", "http:")
  ),
  embeddingsModel: setting(
    "LOGLYTICS_EMBEDDINGS_MODEL",
    "a model of that server, at most 200 characters",
    "Model whose vectors are asked for; another name makes them all anew.",
    "text-embedding-3-small",
    (value) => (value.trim() === "" || value.length > 200 || value.startsWith("offline") ? undefined : value),
    { example: "text-embedding-3-small" }
  ),
  embeddingsApiKey: setting<Redacted.Redacted | undefined>(
    "LOGLYTICS_EMBEDDINGS_API_KEY",
    "a key of that server",
    "Sent to it as a bearer token.",
    undefined,
    secret,
    { secret: true }
  ),
  llmUrl: setting<string | undefined>(
    "LOGLYTICS_LLM_URL",
    "an https:// URL, such as https://api.openai.com/v1",
    "Server with OpenAI's POST /chat/completions, which words insights (redacted). None where it is not set.",
    undefined,
    url("https:", "http:")
  ),
  llmModel: setting(
    "LOGLYTICS_LLM_MODEL",
    "a model of that server, at most 200 characters",
    "Model that words insights.",
    "gpt-4o-mini",
    (value) => (value.trim() === "" || value.length > 200 ? undefined : value),
    { example: "gpt-4o-mini" }
  ),
  llmPerDay: setting(
    "LOGLYTICS_LLM_PER_DAY",
    "a whole number, 0 to 100",
    "Questions that a project may ask it within 24 hours.",
    50,
    int(0, 100),
    { example: "50" }
  ),
  llmApiKey: setting<Redacted.Redacted | undefined>(
    "LOGLYTICS_LLM_API_KEY",
    "a key of that server",
    "Sent to it as a bearer token.",
    undefined,
    secret,
    { secret: true }
  ),
  sendgridApiKey: setting<Redacted.Redacted | undefined>(
    "SENDGRID_API_KEY",
    "a SendGrid API key",
    "For e-mail; a channel's own key wins.",
    undefined,
    secret,
    { secret: true }
  ),
  slackWebhookUrl: setting<Redacted.Redacted | undefined>(
    "SLACK_WEBHOOK_URL",
    "an https:// URL",
    "For Slack; a channel's own webhook or token wins.",
    undefined,
    secretUrl("https:", "http:"),
    { secret: true }
  ),
  jiraUrl: setting<string | undefined>(
    "JIRA_URL",
    "an https:// URL",
    "For Jira; a channel's own URL wins.",
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
