/**
 * Severity of a log line. The numbers are OpenTelemetry's severity numbers (first of each range), so that they order,
 * store in two bytes and need no table when OTLP arrives. `unknown` is a line that names no level.
 */
import { Schema } from "effect"

export const levels = ["unknown", "trace", "debug", "info", "warn", "error", "fatal"] as const
export const Level = Schema.Literals(levels).annotate({ identifier: "Level" })
export type Level = typeof Level.Type

/** OpenTelemetry severity number of each level; 0 is unspecified. */
export const severity: Readonly<Record<Level, number>> = {
  unknown: 0,
  trace: 1,
  debug: 5,
  info: 9,
  warn: 13,
  error: 17,
  fatal: 21
}

/** The level of an OpenTelemetry severity number (0–24). */
export const fromSeverity = (n: number): Level => {
  if (n >= 21) return "fatal"
  if (n >= 17) return "error"
  if (n >= 13) return "warn"
  if (n >= 9) return "info"
  if (n >= 5) return "debug"
  return n >= 1 ? "trace" : "unknown"
}

const names: Readonly<Record<string, Level>> = {
  trace: "trace",
  verbose: "trace",
  finest: "trace",
  finer: "trace",
  v: "trace",
  debug: "debug",
  fine: "debug",
  dbg: "debug",
  d: "debug",
  info: "info",
  information: "info",
  informational: "info",
  notice: "info",
  log: "info",
  config: "info",
  i: "info",
  n: "info",
  warn: "warn",
  warning: "warn",
  w: "warn",
  error: "error",
  err: "error",
  severe: "error",
  failure: "error",
  fail: "error",
  e: "error",
  fatal: "fatal",
  critical: "fatal",
  crit: "fatal",
  emergency: "fatal",
  emerg: "fatal",
  panic: "fatal",
  alert: "fatal",
  f: "fatal",
  c: "fatal"
}

/** The level that a word of a log line stands for, in any case, or undefined. */
export const fromName = (name: string): Level | undefined => {
  const key = name.toLowerCase()
  return Object.hasOwn(names, key) ? names[key] : undefined
}
