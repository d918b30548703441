/**
 * Lines per minute of the last hour with the errors among them, drawn by uPlot; the same figures as a table for those
 * who read rather than see. Colours come from the design tokens and change with the theme.
 */
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react"
import uPlot from "uplot"
import type { Stats } from "../api.ts"
import { useStats } from "../data.ts"
import { count, hourMinute, moment } from "../format.ts"
import { levels } from "../query.ts"
import { theme } from "../session.ts"
import { useStore } from "../store.ts"
import { Loaded, Panel } from "./Panel.tsx"

type Bucket = Stats["lastHour"]["buckets"][number]

const height = 148

/** The colour that a token has now, as the canvas wants it. */
const colourOf = (token: string, host: HTMLElement): string => {
  const probe = document.createElement("span")
  probe.style.color = `var(${token})`
  host.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

const bars = uPlot.paths.bars!({ size: [0.72, 24], align: 0, gap: 1 })

const optionsFor = (host: HTMLElement, hover: (index: number | null) => void): uPlot.Options => {
  const line = colourOf("--line", host)
  const axis = { stroke: colourOf("--muted", host), font: "11px system-ui, sans-serif", ticks: { show: false } }
  return {
    width: host.clientWidth,
    height,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: (_, min, max) => [min - 40, max + 40] },
      y: { range: (_, __, max) => [0, Math.max(4, max * 1.08)] }
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 22,
        values: (_, ticks) => ticks.map((at) => hourMinute(at * 1_000)),
        space: 70
      },
      {
        ...axis,
        grid: { stroke: line, width: 1 },
        size: 44,
        space: 36,
        values: (_, ticks) => ticks.map((n) => (Number.isInteger(n) ? count(n) : ""))
      }
    ],
    series: [
      {},
      {
        label: "Lines",
        fill: colourOf("--chart-lines", host),
        stroke: "transparent",
        width: 0,
        paths: bars,
        points: { show: false }
      },
      {
        label: "Errors",
        fill: colourOf("--chart-errors", host),
        stroke: "transparent",
        width: 0,
        paths: bars,
        points: { show: false }
      }
    ],
    hooks: { setCursor: [({ cursor }) => hover(cursor.idx ?? null)] }
  }
}

const dataOf = (buckets: ReadonlyArray<Bucket>): uPlot.AlignedData => [
  buckets.map(({ at }) => (moment(at) ?? 0) / 1_000),
  buckets.map(({ total }) => total),
  buckets.map(({ errors }) => errors)
]

function Chart({
  buckets,
  hover
}: {
  readonly buckets: ReadonlyArray<Bucket>
  readonly hover: (index: number | null) => void
}) {
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const data = useMemo(() => dataOf(buckets), [buckets])
  useEffect(() => {
    const element = host.current
    if (element === null) return
    const made = new uPlot(optionsFor(element, hover), [[], [], []], element)
    plot.current = made
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }))
    resized.observe(element)
    return () => {
      resized.disconnect()
      made.destroy()
      plot.current = null
    }
  }, [hover])
  // After the effect above, so that a chart just made gets its data.
  useEffect(() => plot.current?.setData(data), [data])
  return <div ref={host} className="chart" aria-hidden="true" style={{ height }} />
}

const darkness = matchMedia("(prefers-color-scheme: dark)")
const watchDarkness = (changed: () => void): (() => void) => {
  darkness.addEventListener("change", changed)
  return () => darkness.removeEventListener("change", changed)
}

/** The look that the page has now: a canvas does not follow it by itself. */
const useLook = (): string => {
  const system = useSyncExternalStore(watchDarkness, () => darkness.matches)
  const chosen = useStore(theme)
  if (chosen !== "system") return chosen
  return system ? "dark" : "light"
}

function BucketTable({ buckets }: { readonly buckets: ReadonlyArray<Bucket> }) {
  return (
    <div className="chart-table" tabIndex={0} role="region" aria-label="Lines per minute">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Minute</th>
            <th scope="col" className="number">
              Lines
            </th>
            <th scope="col" className="number">
              Errors
            </th>
          </tr>
        </thead>
        <tbody>
          {buckets.toReversed().map(({ at, errors, total }) => (
            <tr key={at}>
              <th scope="row">{hourMinute(moment(at) ?? 0)}</th>
              <td className="number">{count(total)}</td>
              <td className="number">{count(errors)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Legend({ hovered, stats }: { readonly stats: Stats; readonly hovered: Bucket | undefined }) {
  if (hovered !== undefined) {
    return (
      <p className="legend">
        <span>{hourMinute(moment(hovered.at) ?? 0)}</span>
        <span className="key-lines">{count(hovered.total)} lines</span>
        <span className="key-errors">{count(hovered.errors)} errors</span>
      </p>
    )
  }
  const { byLevel } = stats.lastHour
  return (
    <p className="legend">
      {levels.toReversed().map((level) =>
        (byLevel[level] ?? 0) === 0 ? null : (
          <span key={level} className={`level is-${level}`}>
            {level} <b>{count(byLevel[level] ?? 0)}</b>
          </span>
        )
      )}
      {stats.lastHour.total === 0 ? <span className="muted">no lines in the last hour</span> : null}
    </p>
  )
}

export function VolumeChart() {
  const asked = useStats()
  const [hovered, setHovered] = useState<number | null>(null)
  const [asTable, setAsTable] = useState(false)
  const look = useLook()
  const tools = (
    <button type="button" className="button small" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
      {asTable ? "Chart" : "Table"}
    </button>
  )
  return (
    <Panel title="Log volume" className="volume" note="per minute, last hour" tools={tools}>
      <Loaded asked={asked} rows={4}>
        {(stats) => {
          const { buckets, total } = stats.lastHour
          return (
            <figure aria-label={`Lines per minute of the last hour: ${count(total)} in all`}>
              {asTable ? <BucketTable buckets={buckets} /> : <Chart key={look} buckets={buckets} hover={setHovered} />}
              <figcaption>
                <Legend stats={stats} hovered={hovered === null ? undefined : buckets[hovered]} />
              </figcaption>
            </figure>
          )
        }}
      </Loaded>
    </Panel>
  )
}
