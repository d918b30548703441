/**
 * What the pages read, as hooks: each joins an HTTP question (first picture, and a slow reconciliation) with the live
 * topic that keeps it fresh. TanStack Query's cache is the one place where both meet. While paused nothing but alerts
 * and notifications moves.
 */
import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query"
import { useSearch } from "@tanstack/react-router"
import { createContext, useContext, useEffect, useState } from "react"
import { type Alert, type AlertRule, type JobRow, type Notification, type Project, type QueueRow } from "./api.ts"
import { ApiError, request, requestHealth, type Stats, type WorkerRow } from "./api.ts"
import { moment } from "./format.ts"
import type { Connection, Live } from "./live.ts"
import { pause } from "./pause.ts"
import { recall } from "./session.ts"
import { useStore } from "./store.ts"

export const LiveContext = createContext<Live | null>(null)

export const useLive = (): Live => {
  const live = useContext(LiveContext)
  if (live === null) throw new Error("useLive needs the Shell above it")
  return live
}

export const useConnection = (): Connection => useStore(useLive().connection)

export const projectName = "loglytics.project"

export const useProjects = () =>
  useQuery({
    queryKey: ["projects"],
    queryFn: ({ signal }) => request<ReadonlyArray<Project>>("/v1/projects", { signal }),
    staleTime: 60_000
  })

/** The project that is looked at: the URL's, else the last one, else `default`; always one that the key may see. */
export const useProject = (): string => {
  const { project } = useSearch({ from: "__root__" })
  const { data } = useProjects()
  const want = project ?? recall(projectName) ?? "default"
  if (data === undefined || data.length === 0 || data.some(({ id }) => id === want)) return want
  return (data.find(({ id }) => id === "default") ?? data[0]!).id
}

/** How often to ask; never while paused. */
const every = (ms: number): number | false => (pause.get() === null ? ms : false)

const usePolled = <T>(path: string, project: string | null, ms: number) => {
  useStore(pause)
  return useQuery({
    queryKey: [path, project],
    queryFn: ({ signal }) => request<T>(path, project === null ? { signal } : { project, signal }),
    refetchInterval: ({ state: { error } }) => (error instanceof ApiError && error.status === 403 ? false : every(ms))
  })
}

export const useStats = () => usePolled<Stats>("/v1/stats", useProject(), 5_000)
export const useQueues = () => usePolled<ReadonlyArray<QueueRow>>("/v1/queues", null, 3_000)
export const useWorkers = () => usePolled<ReadonlyArray<WorkerRow>>("/v1/workers", null, 5_000)
export const useRules = () => usePolled<ReadonlyArray<AlertRule>>("/v1/rules", useProject(), 30_000)

export const useHealth = () =>
  useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => requestHealth(signal),
    refetchInterval: 10_000
  })

/** Rows with the newer ones put over the older ones of the same id. */
const mergedById = <T extends { readonly id: string }>(
  old: ReadonlyArray<T>,
  news: ReadonlyArray<T>
): ReadonlyArray<T> => [...new Map([...old, ...news].map((row) => [row.id, row])).values()]

const byNewest = <T>(rows: ReadonlyArray<T>, at: (row: T) => string | null, max: number): ReadonlyArray<T> =>
  rows.toSorted((a, b) => (moment(at(b)) ?? 0) - (moment(at(a)) ?? 0)).slice(0, max)

/** Whether this tells of a job's arrival after its run was told: a quick worker overtakes the one who enqueued. */
const isOvertaken = <T extends { readonly id: string }>(row: T, known: ReadonlyArray<T>): boolean =>
  "state" in row &&
  row.state === "queued" &&
  known.some((other) => other.id === row.id && "state" in other && ["running", "done"].includes(String(other.state)))

/** Keeps a cached list in step with a live topic. */
const useTopic = <T extends { readonly id: string }>(
  topic: "alerts" | "notifications" | "jobs",
  key: ReadonlyArray<string | null>,
  project: string,
  arrange: (rows: ReadonlyArray<T>) => ReadonlyArray<T>
): void => {
  const live = useLive()
  const client = useQueryClient()
  const [name, scope] = key
  useEffect(() => {
    const put = (change: (old: ReadonlyArray<T>) => ReadonlyArray<T>): void => {
      if (topic === "jobs" && pause.get() !== null) return
      client.setQueryData<ReadonlyArray<T>>([name, scope], (old) => arrange(change(old ?? [])))
    }
    return live.subscribe<T>(
      topic,
      { project },
      {
        snapshot: (rows) => put(() => rows),
        event: (rows) =>
          put((old) =>
            mergedById(
              old,
              rows.filter((row) => !isOvertaken(row, old))
            )
          )
      }
    )
  }, [live, client, topic, name, scope, project, arrange])
}

const alertsMax = 100
const arrangeAlerts = (rows: ReadonlyArray<Alert>): ReadonlyArray<Alert> =>
  byNewest(
    rows.filter(({ state }) => state === "firing" || state === "pending"),
    (row) => row.firedAt ?? row.startedAt,
    alertsMax
  ).toSorted((a, b) => Number(b.state === "firing") - Number(a.state === "firing"))

/** Alerts that fire or are about to, firing first. */
export const useAlerts = () => {
  const project = useProject()
  return useQuery({
    queryKey: ["alerts", project],
    queryFn: async ({ signal }) => {
      const ask = (state: string) =>
        request<ReadonlyArray<Alert>>("/v1/alerts", { project, signal, params: { state, limit: alertsMax } })
      const [firing, pending] = await Promise.all([ask("firing"), ask("pending")])
      return arrangeAlerts([...firing, ...pending])
    },
    refetchInterval: 30_000
  })
}

const notificationsMax = 50
const arrangeNotifications = (rows: ReadonlyArray<Notification>): ReadonlyArray<Notification> =>
  byNewest(rows, (row) => row.createdAt, notificationsMax)

/** The last notifications, newest first. */
export const useNotifications = () => {
  const project = useProject()
  return useQuery({
    queryKey: ["notifications", project],
    queryFn: async ({ signal }) => {
      const rows = await request<ReadonlyArray<Notification>>("/v1/notifications", {
        project,
        signal,
        params: { limit: notificationsMax }
      })
      return arrangeNotifications(rows)
    },
    refetchInterval: 60_000
  })
}

/** Says that these were read: at once on the page, then on the server. */
export const markRead = async (client: QueryClient, project: string, ids: ReadonlyArray<string>): Promise<void> => {
  const key = ["notifications", project]
  const readAt = new Date().toISOString()
  client.setQueryData<ReadonlyArray<Notification>>(key, (rows) =>
    rows?.map((row) => (ids.includes(row.id) ? { ...row, readAt } : row))
  )
  try {
    for (const id of ids) await request(`/v1/notifications/${encodeURIComponent(id)}/read`, { method: "POST", project })
  } catch {
    await client.invalidateQueries({ queryKey: key })
  }
}

/** The live topics that every page needs; used once, by the Shell. */
export const useEverywhere = (): void => {
  const project = useProject()
  useTopic<Alert>("alerts", ["alerts", project], project, arrangeAlerts)
  useTopic<Notification>("notifications", ["notifications", project], project, arrangeNotifications)
}

const jobsMax = 50
const arrangeJobs = (rows: ReadonlyArray<JobRow>): ReadonlyArray<JobRow> =>
  byNewest(rows, (row) => row.finishedAt ?? row.startedAt ?? row.enqueuedAt, jobsMax)

/** The jobs that moved last, newest first. */
export const useJobs = () => {
  useTopic<JobRow>("jobs", ["jobs", null], useProject(), arrangeJobs)
  useStore(pause)
  return useQuery({
    queryKey: ["jobs", null],
    queryFn: async ({ signal }) =>
      arrangeJobs(await request<ReadonlyArray<JobRow>>("/v1/jobs", { signal, params: { limit: jobsMax } })),
    refetchInterval: () => every(10_000)
  })
}

/** The present, a new one every `ms`; it stands still while paused, unless `always`. */
export const useNow = (ms = 1_000, always = false): number => {
  const [now, setNow] = useState(() => Date.now())
  const still = useStore(pause) !== null && !always
  useEffect(() => {
    if (still) return
    const timer = setInterval(() => setNow(Date.now()), ms)
    return () => clearInterval(timer)
  }, [ms, still])
  return now
}
