/**
 * The table as a picture: a panel per figure, a bar per contestant, ourselves in colour. Readable on light and dark ground: the
 * ground is left as it is, and the ink follows the reader's colour scheme. Scales start at zero.
 */
import type { Row } from "./Row.ts"
import { shown } from "./Table.ts"

const columns = 3
const width = 330
const barLeft = 104
const barMax = 150
const barHeight = 13
const pitch = 19
const gap = 34
const outlier = 4

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const style = `
  text { font: 12px ui-sans-serif, system-ui, "Segoe UI", sans-serif; fill: #1f2937 }
  .quiet { fill: #5b6472 } .title { font-weight: 600 } .small { font-size: 11px }
  .ours { fill: #2f6fde } .other { fill: #aab3c0 } .short { fill: #b42318 } .track { stroke: #d5dae1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e9ee } .quiet { fill: #a3acb9 }
    .ours { fill: #6ea1ff } .other { fill: #5d6775 } .short { fill: #ff8a7d } .track { stroke: #3a424d }
  }`

/** The value of a bar of full length. One that is far longer than all others would make them all alike: it is drawn broken. */
const scaleOf = (values: ReadonlyArray<number>): number => {
  const [first = 0, second = 0] = values.toSorted((a, b) => b - a)
  return Math.max(second > 0 && first > outlier * second ? second * 1.25 : first, Number.MIN_VALUE)
}

const bar = (kind: string, x: number, y: number, length: number): string =>
  `<rect class="${kind}" x="${x}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`

const panel = (row: Row, contestants: ReadonlyArray<string>, x: number, y: number): string => {
  const there = contestants.filter((name) => Number.isFinite(row.values[name] ?? Number.NaN))
  const most = scaleOf(there.map((name) => row.values[name] ?? 0))
  const demand = row.must === "" ? "" : `must be ${row.must}${row.holds === false ? ", short" : ""}`
  const bars = there.map((name, i) => {
    const value = row.values[name] ?? 0
    const top = y + 42 + i * pitch
    const broken = value > most
    const length = broken ? barMax : Math.max(1.5, (value / most) * barMax)
    const kind = name === "loglytics" ? "ours" : "other"
    const weight = name === "loglytics" ? " title" : ""
    return [
      `<text class="small${weight}" x="${x + barLeft - 8}" y="${top + 10}" text-anchor="end">${escape(name)}</text>`,
      broken
        ? bar(kind, x + barLeft, top, barMax - 20) + bar(kind, x + barLeft + barMax - 16, top, 16)
        : bar(kind, x + barLeft, top, length),
      `<text class="small${weight}" x="${(x + barLeft + length + 6).toFixed(1)}" y="${top + 10}">${shown(value)}</text>`
    ].join("")
  })
  const bottom = y + 42 + there.length * pitch - (pitch - barHeight)
  return [
    `<text class="title" x="${x}" y="${y + 14}">${escape(row.metric)}, ${row.unit === "" ? "number" : escape(row.unit)}</text>`,
    `<text class="small ${row.holds === false ? "short" : "quiet"}" x="${x}" y="${y + 30}">${row.lessIsBetter ? "less" : "more"} is better${demand === "" ? "" : ` · ${escape(demand)}`}</text>`,
    `<line class="track" x1="${x + barLeft - 0.5}" y1="${y + 39}" x2="${x + barLeft - 0.5}" y2="${bottom + 3}"/>`,
    ...bars
  ].join("\n")
}

/** Draws the chief rows. `contestants` in the order of their bars. */
export const picture = (rows: ReadonlyArray<Row>, contestants: ReadonlyArray<string>, caption: string): string => {
  const drawn = rows.filter((row) => row.chief && Number.isFinite(row.values["loglytics"] ?? Number.NaN))
  const lines: Array<ReadonlyArray<Row>> = []
  for (let i = 0; i < drawn.length; i += columns) lines.push(drawn.slice(i, i + columns))
  let y = 34
  const parts: Array<string> = []
  for (const line of lines) {
    line.forEach((row, i) => parts.push(panel(row, contestants, 16 + i * (width + 10), y)))
    const bars = line.map((row) => contestants.filter((name) => Number.isFinite(row.values[name] ?? Number.NaN)).length)
    y += 42 + Math.max(...bars) * pitch + gap
  }
  const wide = 16 * 2 + columns * width + (columns - 1) * 10
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${wide} ${y - gap + 16}" width="${wide}" role="img">
<title>${escape(caption)}</title>
<style>${style}
</style>
<text class="small quiet" x="16" y="20">${escape(caption)}</text>
${parts.join("\n")}
</svg>
`
}
