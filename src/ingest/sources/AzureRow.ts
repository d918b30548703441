/** How a row of Azure Monitor Logs reads in our words. Pure, takes whatever stands there, never throws. */
import type { Level } from "../../domain/Level.ts"
import type { SentEvent } from "../../domain/SentEvent.ts"

/** Column → value. */
export type Row = Readonly<Record<string, unknown>>

const levels: Readonly<Record<string, Level>> = {
  verbose: "debug",
  trace: "trace",
  debug: "debug",
  info: "info",
  information: "info",
  informational: "info",
  notice: "info",
  warn: "warn",
  warning: "warn",
  err: "error",
  error: "error",
  crit: "fatal",
  critical: "fatal",
  alert: "fatal",
  emerg: "fatal",
  emergency: "fatal",
  fatal: "fatal"
}
/** Application Insights counts from 0. */
const byNumber: ReadonlyArray<Level> = ["debug", "info", "warn", "error", "fatal"]

const text = (value: unknown): string | undefined => {
  if (typeof value === "string") return value === "" ? undefined : value
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined
}

const levelOf = (row: Row): Level | undefined => {
  for (const name of ["SeverityLevel", "Level", "LogLevel", "SeverityText", "EventLevelName"]) {
    const value = row[name]
    const known = typeof value === "number" || /^\d$/u.test(String(value)) ? byNumber[Number(value)] : undefined
    const level = known ?? levels[(text(value) ?? "").toLowerCase()]
    if (level !== undefined) return level
  }
  return undefined
}

/** Columns that hold the text, best first; `raw` ones are lines of programs, which the formats read. */
const texts: ReadonlyArray<readonly [name: string, raw: boolean]> = [
  ["Message", false],
  ["LogMessage", true],
  ["SyslogMessage", false],
  ["RawData", true],
  ["LogEntry", true],
  ["Log_s", true],
  ["ResultDescription", false],
  ["RenderedDescription", false],
  ["OuterMessage", false],
  ["ExceptionMessage", false],
  ["OperationNameValue", false],
  ["OperationName", false],
  ["Name", false]
]

/** Column → attribute. Others keep their name. */
const names: Readonly<Record<string, string>> = {
  Type: "azure.table",
  _ItemId: "azure.item_id",
  _ResourceId: "cloud.resource_id",
  _SubscriptionId: "cloud.account.id",
  Computer: "host.name",
  HostName: "host.name",
  AppRoleInstance: "service.instance.id",
  AppVersion: "service.version",
  ClientIP: "client.address",
  CallerIpAddress: "client.address",
  Url: "url.full",
  UserId: "user.id",
  ExceptionType: "exception.type",
  ProcessID: "process.pid",
  ProcessName: "process.executable.name",
  PodName: "k8s.pod.name",
  PodNamespace: "k8s.namespace.name",
  ContainerName: "k8s.container.name",
  ContainerId: "container.id",
  LogSource: "log.iostream",
  DurationMs: "duration_ms"
}
/** Said elsewhere, or of no use to anybody. */
const dropped = new Set(["TimeGenerated", "TenantId", "MG", "SourceSystem", "ManagementGroupName"])

/** The columns that name what runs, best first. */
const serviceColumns = ["AppRoleName", "ServiceName", "ContainerName", "ProcessName", "Resource", "ProviderName"]

const hex = (value: unknown, length: number): string | undefined => {
  const plain = typeof value === "string" ? value.replaceAll("-", "").toLowerCase() : ""
  return plain.length === length && /^[0-9a-f]+$/u.test(plain) && !/^0+$/u.test(plain) ? plain : undefined
}

const timeOf = (value: unknown): number | undefined => {
  const ms = value instanceof Date ? value.getTime() : typeof value === "string" ? Date.parse(value) : Number.NaN
  return Number.isFinite(ms) ? ms : undefined
}

const isEmpty = (value: unknown): boolean => value === null || value === undefined || value === ""

const messageOf = (
  table: string,
  row: Row
): { readonly said: Pick<SentEvent, "line" | "message">; readonly used: string } => {
  for (const [name, raw] of texts) {
    const value = row[name]
    if (raw && typeof value === "object" && value !== null) return { said: { line: JSON.stringify(value) }, used: name }
    const found = text(value)
    if (found !== undefined) return { said: raw ? { line: found } : { message: found }, used: name }
  }
  return { said: { message: table }, used: "" }
}

export const toEvent = (table: string, row: Row): SentEvent => {
  const { said, used } = messageOf(table, row)
  const time = timeOf(row["TimeGenerated"])
  const level = levelOf(row)
  const service = serviceColumns.map((name) => text(row[name])).find((name) => name !== undefined)
  const traceId = hex(row["OperationId"], 32)
  const spanId = hex(row["ParentId"], 16) ?? hex(row["Id"], 16)
  const attributes: Record<string, unknown> = { "cloud.provider": "azure", "azure.table": table }
  for (const [name, value] of Object.entries(row)) {
    if (isEmpty(value) || dropped.has(name) || name === used) continue
    const known = Object.hasOwn(names, name) ? names[name]! : name
    attributes[known] = value instanceof Date ? value.toISOString() : value
  }
  return {
    ...said,
    ...(time === undefined ? {} : { time }),
    ...(level === undefined ? {} : { level }),
    ...(service === undefined ? {} : { service }),
    ...(traceId === undefined ? {} : { traceId }),
    ...(spanId === undefined ? {} : { spanId }),
    attributes
  }
}
