/** Six figures that say at one glance whether to worry: services, ingest, errors, alerts, waiting jobs, workers. */
import type { ReactNode } from "react"
import { ApiError, type HealthPart, type Stats } from "../api.ts"
import { useAlerts, useHealth, useQueues, useStats, useWorkers } from "../data.ts"
import { age, count, moment, percent } from "../format.ts"
import { Check, Cross, Warn } from "./Icons.tsx"

type Tone = "good" | "warn" | "bad" | "plain"

interface TileProps {
  readonly name: string
  readonly value: ReactNode
  readonly note: ReactNode
  readonly tone?: Tone
}

const signs = { good: Check, warn: Warn, bad: Cross } as const

function Tile({ name, note, tone = "plain", value }: TileProps) {
  const Sign = tone === "plain" ? null : signs[tone]
  return (
    <div className={`tile is-${tone}`}>
      <dt>
        {Sign === null ? null : <Sign />}
        {name}
      </dt>
      <dd>
        <strong>{value}</strong>
        <span className="muted">{note}</span>
      </dd>
    </div>
  )
}

/** Lines of the last sixty seconds: the running minute, and of the one before the share that is not yet out of sight. */
const perMinute = ({ lastHour: { buckets } }: Stats, now: number): number => {
  const [before, running] = buckets.slice(-2)
  const begun = moment(running?.at)
  if (before === undefined || running === undefined || begun === null) return running?.total ?? 0
  const passed = Math.min(1, Math.max(0, (now - begun) / 60_000))
  return Math.round(running.total + before.total * (1 - passed))
}

function IngestTiles() {
  const { data, dataUpdatedAt } = useStats()
  if (data === undefined) return waiting("Lines per minute", "Errors")
  const { byLevel, total } = data.lastHour
  const errors = (byLevel.error ?? 0) + (byLevel.fatal ?? 0)
  const share = total === 0 ? 0 : errors / total
  return (
    <>
      <Tile
        name="Lines per minute"
        value={count(perMinute(data, dataUpdatedAt))}
        note={`${count(total)} in the last hour`}
      />
      <Tile
        name="Errors"
        value={percent(share)}
        note={errors === 0 ? "none in the last hour" : `${count(errors)} in the last hour`}
        tone={errors === 0 ? "good" : share > 0.05 ? "bad" : "plain"}
      />
    </>
  )
}

function AlertsTile() {
  const { data } = useAlerts()
  if (data === undefined) return waiting("Alerts")
  const firing = data.filter(({ state }) => state === "firing").length
  const pending = data.length - firing
  return (
    <Tile
      name="Alerts"
      value={firing === 0 ? "Quiet" : `${firing} firing`}
      note={pending === 0 ? "none pending" : `${pending} pending`}
      tone={firing > 0 ? "bad" : pending > 0 ? "warn" : "good"}
    />
  )
}

function QueuesTile() {
  const { data, error } = useQueues()
  if (data === undefined) return isForbidden(error) ? null : waiting("Oldest waiting job")
  const oldest = data.reduce((most, { oldestAgeMs }) => Math.max(most, oldestAgeMs ?? 0), 0)
  const backlog = data.reduce((sum, row) => sum + row.backlog, 0)
  const dead = data.reduce((sum, row) => sum + row.dead, 0)
  const tone = oldest > 300_000 ? "bad" : oldest > 60_000 || dead > 0 ? "warn" : "good"
  return (
    <Tile
      name="Oldest waiting job"
      value={backlog === 0 ? "None" : age(oldest)}
      note={`${count(backlog)} waiting${dead > 0 ? `, ${count(dead)} dead` : ""}`}
      tone={tone}
    />
  )
}

function WorkersTile() {
  const { data, error } = useWorkers()
  if (data === undefined) return isForbidden(error) ? null : waiting("Workers")
  const slots = data.reduce((sum, { concurrency }) => sum + concurrency, 0)
  const busy = data.reduce((sum, { running }) => sum + running.length, 0)
  return (
    <Tile
      name="Workers"
      value={data.length === 0 ? "None" : `${busy} of ${slots}`}
      note={
        data.length === 0
          ? "jobs wait: npm start, or loglytics work"
          : `slots busy, ${data.length} process${data.length === 1 ? "" : "es"}`
      }
      tone={data.length === 0 ? "bad" : "good"}
    />
  )
}

const partsNote = (parts: ReadonlyArray<HealthPart>, down: ReadonlyArray<HealthPart>): string => {
  if (down.length > 0) return down.map(({ detail, name }) => `${name}: ${detail}`).join("; ")
  return parts.length === 0 ? "the server answers" : parts.map(({ name }) => name).join(", ")
}

function ServicesTile() {
  const { data, error } = useHealth()
  if (error !== null) return <Tile name="Services" value="Unknown" note="no answer from /health" tone="bad" />
  if (data === undefined) return waiting("Services")
  const parts = data.checks
  const down = parts.filter(({ ok }) => !ok)
  return (
    <Tile
      name="Services"
      value={down.length === 0 ? "All up" : `${down.length} down`}
      note={<span title={partsNote(parts, down)}>{partsNote(parts, down)}</span>}
      tone={down.length === 0 ? "good" : "bad"}
    />
  )
}

/** The engine shows itself to admin keys only. */
const isForbidden = (error: Error | null): boolean => error instanceof ApiError && error.status === 403

const waiting = (...names: ReadonlyArray<string>): ReactNode =>
  names.map((name) => <Tile key={name} name={name} value="…" note="loading" />)

export function HealthStrip() {
  return (
    <section aria-label="Health">
      <dl className="strip">
        <ServicesTile />
        <IngestTiles />
        <AlertsTile />
        <QueuesTile />
        <WorkersTile />
      </dl>
    </section>
  )
}
