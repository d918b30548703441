/**
 * One log question on both ways: the live tail of a query through the WebSocket, and its stored lines through the API,
 * page by page into the past. Both land in the same `Lines`, which bounds and orders them.
 */
import { useCallback, useEffect, useMemo, useRef, useState } from "react"
import { ApiError, type LogPage, request, type StoredEvent } from "./api.ts"
import { useLive } from "./data.ts"
import { type Lines, makeLines } from "./lines.ts"

const liveMax = 5_000
const historyMax = 10_000
const pageSize = 200
/** Pages that may hold nothing new before a click on "older" gives up. */
const emptyPagesMax = 5

/** The next frame, or soon where frames stand still because the tab is hidden. */
const nextFrame = (flush: () => void): void => {
  if (document.hidden) setTimeout(flush, 500)
  else requestAnimationFrame(flush)
}

export interface Log {
  readonly lines: Lines
  /** What is wrong with the query or its answer, in words. */
  readonly problem: string | null
  readonly loading: boolean
  /** There is nothing older, or the page holds as much as it may. */
  readonly ended: "beginning" | "full" | null
  readonly older: () => void
}

/** What is known of the way into the past, for one question. */
interface Past {
  readonly question: string
  readonly loading: boolean
  readonly ended: Log["ended"]
  readonly problem: string | null
}

const idle: Past = { question: "", loading: false, ended: null, problem: null }

const oldestOf = (lines: Lines): StoredEvent | undefined => {
  const { history, live } = lines.get()
  const first = (history.length > 0 ? history : live).find((line) => "event" in line)
  return first !== undefined && "event" in first ? first.event : undefined
}

/** `to` is exclusive: a millisecond later takes in the lines of the same moment. */
const justAfter = (event: StoredEvent | undefined): number | undefined =>
  event === undefined ? undefined : Date.parse(event.time) + 1

/** Follows `query`; with `stored` also loads what the store has of it. */
export const useLog = (project: string, query: string, stored: boolean): Log => {
  const live = useLive()
  const lines = useMemo(() => makeLines({ capacity: liveMax, historyMax, schedule: nextFrame }), [])
  const question = `${project}\n${query}`
  const [problem, setProblem] = useState({ question, text: "" })
  const [past, setPast] = useState(idle)
  const cursor = useRef<string | null>(null)
  const asking = useRef<AbortController | null>(null)

  useEffect(() => {
    lines.clear()
    const tell = (text: string): void => setProblem({ question, text })
    return live.subscribe<StoredEvent>(
      "tail",
      { project, query },
      {
        snapshot: (events) => {
          tell("")
          lines.snapshot(events)
        },
        event: lines.push,
        skipped: lines.skip,
        error: tell
      }
    )
  }, [live, lines, project, query, question])

  const older = useCallback(() => {
    if (asking.current !== null) return
    const control = new AbortController()
    asking.current = control
    setPast({ ...idle, question, loading: true })
    const load = async (): Promise<Log["ended"]> => {
      for (let page = 0; page < emptyPagesMax; page++) {
        const { history } = lines.get()
        const on = cursor.current !== null && (history.length > 0 || page > 0)
        const from = on ? { cursor: cursor.current ?? undefined } : { to: justAfter(oldestOf(lines)) }
        const { signal } = control
        const { events, next } = await request<LogPage>("/v1/logs", {
          project,
          signal,
          params: { q: query, limit: pageSize, ...from }
        })
        if (signal.aborted) return null
        lines.older(events)
        cursor.current = next
        if (next === null) return "beginning"
        if (lines.get().history.length >= historyMax) return "full"
        if (lines.get().history.length > history.length) return null
      }
      return null
    }
    load()
      .then((ended) => !control.signal.aborted && setPast({ ...idle, question, ended }))
      .catch((error: unknown) => {
        if (control.signal.aborted) return
        setPast({ ...idle, question, problem: error instanceof ApiError ? error.message : String(error) })
      })
      .finally(() => {
        if (asking.current === control) asking.current = null
      })
  }, [lines, project, query, question])

  useEffect(() => {
    cursor.current = null
    if (stored) older()
    return () => {
      asking.current?.abort()
      asking.current = null
    }
  }, [stored, older])

  const now = past.question === question ? past : idle
  const text = (problem.question === question ? problem.text : "") || now.problem
  return { lines, problem: text, loading: now.loading, ended: now.ended, older }
}
