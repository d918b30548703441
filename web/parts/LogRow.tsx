/** One log line, and opened: its whole message and every field, each of which can narrow the search. */
import { memo } from "react"
import type { StoredEvent } from "../api.ts"
import { clock, count, day, moment } from "../format.ts"
import type { Line } from "../lines.ts"
import { cut } from "../query.ts"
import { Chevron, Filter, Warn } from "./Icons.tsx"

/** Characters of a message in a closed and in an open row: the document must not grow with one monstrous line. */
const closedMax = 600
const openMax = 20_000
const fieldsMax = 200

interface LogRowProps {
  readonly line: Line
  readonly open: boolean
  readonly dated: boolean
  readonly words: ReadonlyArray<string>
  readonly toggle: (key: number) => void
  readonly narrow: (field: string, value: string) => void
}

function Marked({ text, words }: { readonly text: string; readonly words: ReadonlyArray<string> }) {
  if (words.length === 0) return text
  return cut(text, words).map(({ at, marked, text: piece }) => (marked ? <mark key={at}>{piece}</mark> : piece))
}

export const LogRow = memo(function LogRow({ dated, line, narrow, open, toggle, words }: LogRowProps) {
  if (!("event" in line)) {
    return (
      <p className="line-notice">
        <Warn /> {count(line.skipped)} lines left out here: they came faster than this connection takes them
      </p>
    )
  }
  const { event, key } = line
  const at = moment(event.time) ?? 0
  const flip = (row: Element | null): void => {
    toggle(key)
    // An opened line at the lower edge would open out of sight.
    if (!open) requestAnimationFrame(() => row?.scrollIntoView({ block: "nearest" }))
  }
  return (
    <div className={`line is-${event.level} ${open ? "is-open" : ""}`}>
      <div
        className="line-head"
        onClick={({ currentTarget }) => {
          if (getSelection()?.isCollapsed !== false) flip(currentTarget.parentElement)
        }}
      >
        <button
          type="button"
          className="line-open"
          aria-expanded={open}
          aria-label="Details"
          onClick={(click) => {
            click.stopPropagation()
            flip(click.currentTarget.closest(".line"))
          }}
        >
          <Chevron />
        </button>
        <time dateTime={event.time} title={event.time}>
          {dated ? `${day(at)} ` : ""}
          {clock(at, true)}
        </time>
        <span className={`line-level level is-${event.level}`}>{event.level === "unknown" ? "–" : event.level}</span>
        <span className="line-service" title={event.service}>
          {event.service}
        </span>
        <span className="line-message">
          <Marked text={event.message.slice(0, closedMax)} words={words} />
        </span>
      </div>
      {open ? <Details event={event} narrow={narrow} words={words} /> : null}
    </div>
  )
})

/** Whether a term of the query language can name this field and hold this value. */
const canSay = (name: string, value: string): boolean =>
  /^[\w.@-]+$/u.test(name) && value.length <= 200 && !value.includes("\n")

/** Fields with dotted paths, as the query language names them. */
const fieldsOf = (attributes: StoredEvent["attributes"]): ReadonlyArray<readonly [string, string]> => {
  const fields: Array<readonly [string, string]> = []
  const walk = (path: string, value: unknown): void => {
    if (fields.length >= fieldsMax) return
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      for (const [name, inner] of Object.entries(value)) walk(path === "" ? name : `${path}.${name}`, inner)
    } else fields.push([path, typeof value === "string" ? value : JSON.stringify(value)])
  }
  walk("", attributes)
  return fields
}

function Field({
  name,
  narrow,
  value
}: {
  readonly name: string
  readonly value: string
  readonly narrow?: LogRowProps["narrow"]
}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <span>{value}</span>
        {narrow === undefined ? null : (
          <button
            type="button"
            className="line-filter"
            aria-label={`Only lines with this ${name}`}
            title="Add to the search"
            onClick={() => narrow(name, value)}
          >
            <Filter />
          </button>
        )}
      </dd>
    </div>
  )
}

interface DetailsProps {
  readonly event: StoredEvent
  readonly words: ReadonlyArray<string>
  readonly narrow: LogRowProps["narrow"]
}

function Details({ event, narrow, words }: DetailsProps) {
  return (
    <div className="line-more">
      <pre>
        <Marked text={event.message.slice(0, openMax)} words={words} />
      </pre>
      <dl>
        <Field name="time" value={event.time} />
        <Field name="observed" value={event.observedAt} />
        <Field name="level" value={event.level} narrow={narrow} />
        {event.service === "" ? null : <Field name="service" value={event.service} narrow={narrow} />}
        {event.traceId === undefined ? null : <Field name="trace" value={event.traceId} />}
        {event.spanId === undefined ? null : <Field name="span" value={event.spanId} />}
        {fieldsOf(event.attributes).map(([name, value]) => (
          <Field key={name} name={name} value={value} {...(canSay(name, value) ? { narrow } : {})} />
        ))}
      </dl>
    </div>
  )
}
