/**
 * The HTTP API as the dashboard uses it: a thin fetch client and the shapes of what it returns. It adds the key and the
 * project, turns failures into `ApiError`, and keeps `trouble` for the banner. It decodes nothing: the server's own
 * schemas stand behind every shape, and shipping them would double the page.
 */
import type { Alert, Notification } from "../src/domain/Alert.ts"
import type { AlertRule } from "../src/domain/Rule.ts"
import type { Level } from "../src/domain/Level.ts"
import type { StoredEvent } from "../src/domain/LogEvent.ts"
import type { Project } from "../src/domain/Project.ts"
import type {
  JobRow as JobRowSchema,
  QueueRow as QueueRowSchema,
  WorkerRow as WorkerRowSchema
} from "../src/http/api/engine.ts"
import type { HealthReport } from "../src/http/api/health.ts"
import type { Page, Stats as StatsSchema } from "../src/http/api/logs.ts"
import { session, signOut } from "./session.ts"
import { makeStore } from "./store.ts"

export type { Alert, AlertRule, Level, Notification, Project, StoredEvent }
export type QueueRow = typeof QueueRowSchema.Type
export type JobRow = typeof JobRowSchema.Type
export type WorkerRow = typeof WorkerRowSchema.Type
export type Stats = typeof StatsSchema.Type
export type LogPage = typeof Page.Type
export type Health = typeof HealthReport.Type
export type HealthPart = Health["checks"][number]

/** An answer that was no success, or no answer (status 0). */
export class ApiError extends Error {
  readonly status: number
  readonly tag: string
  constructor(status: number, tag: string, message: string) {
    super(message)
    this.name = "ApiError"
    this.status = status
    this.tag = tag
  }
}

/** The server does not answer, or answers that it cannot work; `since` is epoch ms. */
export interface Trouble {
  readonly since: number
  /** The server's own words; null when it is silent. */
  readonly words: string | null
}

/** null while all is well. */
export const trouble = makeStore<Trouble | null>(null)

const setTrouble = (words: string | null): void => trouble.set({ since: trouble.get()?.since ?? Date.now(), words })

interface Ask {
  readonly method?: "GET" | "POST"
  readonly params?: Readonly<Record<string, string | number | undefined>>
  readonly project?: string
  readonly key?: string
  readonly signal?: AbortSignal
}

const problemOf = async (response: Response): Promise<ApiError> => {
  const body: unknown = await response.json().catch(() => null)
  const fields = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {}
  const tag = typeof fields["_tag"] === "string" ? fields["_tag"] : "HttpError"
  const message = typeof fields["message"] === "string" && fields["message"] !== "" ? fields["message"] : null
  return new ApiError(response.status, tag, message ?? `The server answered ${response.status} ${response.statusText}`)
}

/** Gateways in front of a server that is down answer with these. */
const isAway = (status: number): boolean => status === 502 || status === 503 || status === 504

const send = async (path: string, ask: Ask): Promise<Response> => {
  const url = new URL(path, location.origin)
  for (const [name, value] of Object.entries(ask.params ?? {})) {
    if (value !== undefined && value !== "") url.searchParams.set(name, String(value))
  }
  const headers = new Headers({ accept: "application/json" })
  const key = ask.key ?? session.get().key
  if (key !== null) headers.set("authorization", `Bearer ${key}`)
  if (ask.project !== undefined) headers.set("x-loglytics-project", ask.project)
  try {
    const init: RequestInit = { method: ask.method ?? "GET", headers, cache: "no-store" }
    if (ask.signal !== undefined) init.signal = ask.signal
    return await fetch(url, init)
  } catch (cause) {
    if (ask.signal?.aborted === true) throw cause
    setTrouble(null)
    throw new ApiError(0, "Unreachable", `No answer from ${location.origin}`)
  }
}

/** Asks the API. A refused key ends the session, unless the key was given for a try. */
export const request = async <T>(path: string, ask: Ask = {}): Promise<T> => {
  const response = await send(path, ask)
  if (!isAway(response.status)) trouble.set(null)
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T
  const problem = await problemOf(response)
  if (isAway(response.status)) setTrouble(problem.message)
  if (problem.status === 401 && ask.key === undefined) signOut("The server no longer accepts this key.")
  throw problem
}

/** `/health` says 503 with a body when a part is down: that body is the answer. */
export const requestHealth = async (signal: AbortSignal): Promise<Health> => {
  const response = await send("/health", { signal })
  const body = (await response.json().catch(() => null)) as Health | null
  if (!Array.isArray(body?.checks))
    throw new ApiError(response.status, "HttpError", `/health answered ${response.status}`)
  return body
}
