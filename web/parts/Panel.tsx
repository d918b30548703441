/** The frame that every part of a page stands in, and what it shows instead of content: loading, failure, emptiness. */
import { type ReactNode, useId, useState } from "react"
import { ApiError } from "../api.ts"
import { Check, Copy } from "./Icons.tsx"

interface PanelProps {
  readonly title: string
  /** Beside the title: a figure or a word. */
  readonly note?: ReactNode
  /** At the right end of the head: controls. */
  readonly tools?: ReactNode
  readonly className?: string
  readonly children: ReactNode
}

export function Panel({ children, className = "", note, title, tools }: PanelProps) {
  const id = useId()
  return (
    <section className={`panel ${className}`} aria-labelledby={id}>
      <header className="panel-head">
        <h2 id={id}>{title}</h2>
        {note === undefined ? null : <span className="panel-note">{note}</span>}
        {tools === undefined ? null : <div className="panel-tools">{tools}</div>}
      </header>
      {children}
    </section>
  )
}

export function Skeleton({ rows = 3 }: { readonly rows?: number }) {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <i key={row} />
      ))}
    </div>
  )
}

/** What could not be had, why, and the way to ask again. */
export function Failure({ error, retry }: { readonly error: Error; readonly retry: () => unknown }) {
  return (
    <div className="failure" role="alert">
      <p>{error.message}</p>
      <button type="button" className="button small" onClick={() => void retry()}>
        Try again
      </button>
    </div>
  )
}

interface Asked<T> {
  readonly data: T | undefined
  readonly error: Error | null
  readonly refetch: () => unknown
}

/** Content once there are data; old data stay while a later question fails, and the banner tells of that. */
export function Loaded<T>({
  asked,
  children,
  rows
}: {
  readonly asked: Asked<T>
  readonly rows?: number
  readonly children: (data: T) => ReactNode
}) {
  if (asked.data !== undefined) return children(asked.data)
  if (asked.error instanceof ApiError && asked.error.status === 403) return <Empty title="Only admin keys see this" />
  if (asked.error !== null) return <Failure error={asked.error} retry={asked.refetch} />
  return <Skeleton {...(rows === undefined ? {} : { rows })} />
}

export function Empty({ children, title }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  )
}

/** A command to copy. What is copied may hold the key; what is shown does not. */
export function Command({ copied, shown }: { readonly shown: string; readonly copied: string }) {
  const [done, setDone] = useState(false)
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(copied)
      setDone(true)
      setTimeout(() => setDone(false), 2_000)
    } catch {
      // Without the clipboard (plain http) the reader can still mark the text.
    }
  }
  return (
    <div className="command">
      <code>{shown}</code>
      <button
        type="button"
        className="button small"
        onClick={() => void copy()}
        title="Copies the command with your key"
      >
        {done ? <Check /> : <Copy />}
        <span>{done ? "Copied" : "Copy"}</span>
      </button>
    </div>
  )
}
