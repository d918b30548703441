/**
 * Charts as lists of shapes, drawn as SVG or onto a page. Pure. There is no text in them: fonts differ from machine to
 * machine, so whoever shows a chart writes its words beside it.
 */
import type { Level } from "../domain/Level.ts"
import { dayOfMonth, timeText } from "./Format.ts"

export type Shape =
  | {
      readonly _tag: "Rect"
      readonly x: number
      readonly y: number
      readonly w: number
      readonly h: number
      readonly fill: string
    }
  | {
      readonly _tag: "Line"
      readonly points: ReadonlyArray<readonly [x: number, y: number]>
      readonly stroke: string
      readonly width: number
      readonly opacity: number
    }
  | {
      readonly _tag: "Area"
      readonly points: ReadonlyArray<readonly [x: number, y: number]>
      readonly fill: string
      readonly opacity: number
    }

export interface Chart {
  readonly width: number
  readonly height: number
  /** Later ones lie upon earlier ones. */
  readonly shapes: ReadonlyArray<Shape>
  /** The value at its upper edge. */
  readonly top: number
}

/** From quiet to loud; each can be told from its neighbours in grey too. */
export const colours: Readonly<Record<Level, string>> = {
  unknown: "#cfd6e0",
  trace: "#dfe4ec",
  debug: "#bcc8da",
  info: "#7ba3d9",
  warn: "#f0b849",
  error: "#d9534f",
  fatal: "#7d1f3a"
}
export const drawn: ReadonlyArray<Level> = ["unknown", "trace", "debug", "info", "warn", "error", "fatal"]
/** Half through, so that they are quiet on white paper and in a dark mail program alike. */
const rule = "#8390a2"
const gridOpacity = 0.25
const axisOpacity = 0.75
export const lineColour = "#d9534f"
const areaOpacity = 0.2

/** The next round number at or above. */
export const roundUp = (value: number): number => {
  if (value <= 0) return 1
  const unit = 10 ** Math.floor(Math.log10(value))
  return ([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((step) => value <= step * unit * 1.000001) ?? 10) * unit
}

interface Size {
  readonly width: number
  readonly height: number
}

const round = (n: number): number => Math.round(n * 100) / 100

const gridOf = ({ height, width }: Size): ReadonlyArray<Shape> =>
  [0.25, 0.5, 0.75].map((part) => ({
    _tag: "Line",
    points: [
      [0, round(height * part)],
      [width, round(height * part)]
    ],
    stroke: rule,
    width: 1,
    opacity: gridOpacity
  }))

const baseline = ({ height, width }: Size): Shape => ({
  _tag: "Line",
  points: [
    [0, height - 0.5],
    [width, height - 0.5]
  ],
  stroke: rule,
  width: 1,
  opacity: axisOpacity
})

/** A mark under a chart: its place from 0 to 1, and its words. */
export interface Tick {
  readonly at: number
  readonly text: string
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const ticksMax = 8

/** Marks at round times of a span, in UTC: hours of a day or two, days, months. */
export const ticks = (from: number, to: number): ReadonlyArray<Tick> => {
  const span = Math.max(1, to - from)
  const place = (time: number): Tick["at"] => Math.round(((time - from) / span) * 10_000) / 10_000
  if (span > 100 * dayMs) {
    const first = new Date(from)
    const count = Math.ceil(span / (28 * dayMs)) + 1
    const every = Math.ceil(count / ticksMax)
    return Array.from({ length: count }, (_, i) => Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + i * every, 1))
      .filter((time) => time >= from && time < to)
      .map((time) => ({ at: place(time), text: dayOfMonth(time).slice(2) }))
  }
  const widths = [1, 2, 3, 6, 12, 24, 48, 96, 168, 336].map((hours) => hours * hourMs)
  const step = widths.find((width) => span / width <= ticksMax) ?? 14 * dayMs
  const first = Math.ceil(from / step) * step
  return Array.from({ length: Math.max(0, Math.ceil((to - first) / step)) }, (_, i) => first + i * step).map(
    (time) => ({
      at: place(time),
      text: step >= dayMs || time % dayMs === 0 ? dayOfMonth(time) : timeText(time)
    })
  )
}

/** One bar per point, its levels upon each other. */
export const bars = (
  points: ReadonlyArray<{ readonly byLevel: Readonly<Record<Level, number>> }>,
  size: Size
): Chart => {
  const totals = points.map(({ byLevel }) => drawn.reduce((sum, level) => sum + byLevel[level], 0))
  const top = roundUp(Math.max(0, ...totals))
  const step = size.width / Math.max(1, points.length)
  const gap = step > 4 ? Math.min(3, step * 0.15) : 0
  const shapes: Array<Shape> = [...gridOf(size)]
  for (const [i, { byLevel }] of points.entries()) {
    let y = size.height
    for (const level of drawn) {
      const h = (byLevel[level] / top) * size.height
      if (h <= 0) continue
      y -= h
      shapes.push({
        _tag: "Rect",
        x: round(i * step + gap / 2),
        y: round(y),
        w: round(step - gap),
        h: round(h),
        fill: colours[level]
      })
    }
  }
  return { ...size, shapes: [...shapes, baseline(size)], top }
}

/** One line over the points. */
export const line = (values: ReadonlyArray<number>, size: Size): Chart => {
  const top = roundUp(Math.max(0, ...values))
  const step = size.width / Math.max(1, values.length)
  const points = values.map((value, i): readonly [number, number] => [
    round((i + 0.5) * step),
    round(size.height - (Math.max(0, value) / top) * (size.height - 2) - 1)
  ])
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return { ...size, shapes: [...gridOf(size), baseline(size)], top }
  return {
    ...size,
    top,
    shapes: [
      ...gridOf(size),
      {
        _tag: "Area",
        points: [[first[0], size.height], ...points, [last[0], size.height]],
        fill: lineColour,
        opacity: areaOpacity
      },
      { _tag: "Line", points, stroke: lineColour, width: 2, opacity: 1 },
      baseline(size)
    ]
  }
}

const path = (points: ReadonlyArray<readonly [number, number]>): string => points.map(([x, y]) => `${x},${y}`).join(" ")

const svgOf = (shape: Shape): string => {
  switch (shape._tag) {
    case "Rect":
      return `<rect x="${shape.x}" y="${shape.y}" width="${shape.w}" height="${shape.h}" fill="${shape.fill}"/>`
    case "Line":
      return `<polyline points="${path(shape.points)}" fill="none" stroke="${shape.stroke}" stroke-width="${shape.width}" stroke-opacity="${shape.opacity}" stroke-linejoin="round"/>`
    case "Area":
      return `<polygon points="${path(shape.points)}" fill="${shape.fill}" fill-opacity="${shape.opacity}"/>`
  }
}

/** On nothing: what is behind it shows through. */
export const toSvg = ({ height, shapes, width }: Chart): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
  `${shapes.map(svgOf).join("")}</svg>`
