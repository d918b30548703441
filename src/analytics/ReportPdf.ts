/** A report as a PDF of A4 pages, charts drawn as vectors. Shows what ReportHtml.ts shows. */
// The types know the default export only.
// oxlint-disable-next-line import/no-named-as-default
import PDFDocument from "pdfkit"
import { bars, type Chart, colours, drawn, line, type Shape, ticks } from "./Charts.ts"
import { count, percent } from "./Format.ts"
import { Page } from "./PdfPage.ts"
import type { Report } from "./Report.ts"
import type { Change } from "./ReportRows.ts"

const ink = "#1c2430"
const soft = "#3b4654"
const faint = "#657081"
const rule = "#e6e9ee"
const link = "#2f66a8"
const marks = { critical: "#b5382f", warning: "#c98512", info: "#4a7fc1" } as const
const moods = { good: "#2e7d4f", bad: "#b5382f", plain: faint } as const

const draw = ({ doc }: Page, shape: Shape, x: number, y: number): void => {
  if (shape._tag === "Rect") {
    doc.rect(x + shape.x, y + shape.y, shape.w, shape.h).fill(shape.fill)
    return
  }
  for (const [i, [px, py]] of shape.points.entries()) {
    if (i === 0) doc.moveTo(x + px, y + py)
    else doc.lineTo(x + px, y + py)
  }
  doc.save()
  if (shape._tag === "Area") doc.fillOpacity(shape.opacity).fill(shape.fill)
  else
    doc
      .strokeOpacity(shape.opacity)
      .lineWidth(shape.width * 0.75)
      .strokeColor(shape.stroke)
      .stroke()
  doc.restore()
}

const chart = (page: Page, of: Chart, top: string, report: Report): void => {
  page.text(top, { size: 8, colour: faint })
  const y = page.y + 2
  for (const shape of of.shapes) draw(page, shape, page.left, y)
  for (const { at, text } of ticks(report.from, report.to)) {
    if (at < 0.94) page.at(page.left + at * page.width, y + of.height + 4, text, { size: 8, colour: faint })
  }
  page.y = y + of.height + 18
}

const legend = (page: Page, report: Report): void => {
  let x = page.left
  const { y } = page
  for (const level of drawn.toReversed()) {
    if (!report.points.some(({ byLevel }) => byLevel[level] > 0)) continue
    page.doc.rect(x, y, 7, 7).fill(colours[level])
    page.at(x + 10, y, level, { size: 8, colour: faint })
    x += 22 + page.doc.widthOfString(level)
  }
  page.y = y + 12
}

const tiles = (page: Page, report: Report): void => {
  const y = page.y + 14
  const each = page.width / report.tiles.length
  for (const [i, { label, mood, note, value }] of report.tiles.entries()) {
    const x = page.left + i * each
    page.rule(x, y - 6, each - 10, 1.5, rule)
    page.at(x, y, label, { size: 8.5, colour: faint, width: each - 10 })
    page.at(x, y + 12, value, { face: "bold", size: 17, colour: ink, width: each - 10 })
    page.at(x, y + 33, note, { size: 8, colour: moods[mood], width: each - 10 })
  }
  page.y = y + 54
}

const insights = (page: Page, report: Report): void => {
  const inner = { x: page.left + 12, width: page.width - 14 }
  for (const { link: where, severity, text, title } of report.insights) {
    const parts = [
      { text: title, face: "bold", size: 10, colour: ink },
      { text, size: 9, colour: soft, lineGap: 1.5 },
      ...(where.query === ""
        ? []
        : [{ text: where.query, face: "mono", size: 8, colour: report.url === null ? faint : link } as const])
    ] as const
    const height = parts.reduce((sum, part) => sum + page.height(part.text, { ...inner, ...part }) + 1, 0)
    page.room(height + 9)
    const top = page.y
    page.doc.rect(page.left, top, 3, height).fill(marks[severity])
    const href =
      report.url === null
        ? undefined
        : `${report.url}/logs?project=${encodeURIComponent(report.projectId)}&q=${encodeURIComponent(where.query)}`
    for (const part of parts) {
      page.text(part.text, { ...inner, ...part, ...(part.size === 8 && href !== undefined ? { link: href } : {}) })
      page.y += 1
    }
    page.y = top + height + 9
  }
}

interface Column<A> {
  readonly title: string
  readonly of: (row: A) => string
  readonly mood?: (row: A) => Change["mood"]
  /** Part of the width. */
  readonly part: number
  readonly words?: "plain" | "mono"
}

const table = <A>(page: Page, title: string, rows: ReadonlyArray<A>, columns: ReadonlyArray<Column<A>>): void => {
  if (rows.length === 0) return
  const places = columns.map(({ part }, i) => ({
    x: page.left + columns.slice(0, i).reduce((sum, one) => sum + one.part, 0) * page.width + (i === 0 ? 0 : 8),
    width: part * page.width - (i === 0 ? 0 : 8)
  }))
  const style = (column: Column<A>, i: number) =>
    ({
      ...places[i]!,
      face: column.words === "mono" ? "mono" : "plain",
      size: column.words === "mono" ? 8 : 9,
      align: column.words === undefined ? "right" : "left"
    }) as const
  const heightOf = (row: A): number =>
    Math.max(...columns.map((column, i) => page.height(column.of(row), style(column, i)))) + 8
  page.heading(title, 13 + heightOf(rows[0]!))
  const head = (): void => {
    const { y } = page
    columns.forEach((column, i) => {
      page.at(places[i]!.x, y, column.title, { ...style(column, i), face: "plain", size: 8, colour: faint })
    })
    page.y = y + 13
  }
  head()
  for (const row of rows) {
    const height = heightOf(row)
    if (page.room(height)) head()
    const top = page.y
    page.rule(page.left, top, page.width, 0.7, rule)
    columns.forEach((column, i) => {
      const mood = column.mood?.(row)
      page.at(places[i]!.x, top + 4, column.of(row), {
        ...style(column, i),
        colour: mood === undefined ? ink : moods[mood]
      })
    })
    page.y = top + height
  }
}

const turns = (page: Page, report: Report): void => {
  if (report.turns.length === 0) return
  page.heading("Patterns that came and went", 30)
  const inner = { x: page.left + 14, width: page.width - 14 }
  for (const { kind, note, text } of report.turns) {
    page.room(page.height(text, { ...inner, face: "mono", size: 8.5 }) + 20)
    page.at(page.left, page.y - 1, kind === "came" ? "+" : "–", {
      face: "bold",
      size: 10,
      colour: kind === "came" ? ink : faint
    })
    page.text(text, { ...inner, face: "mono", size: 8.5, colour: ink })
    page.text(note, { ...inner, size: 8, colour: faint })
    page.y += 6
  }
}

const charts = (page: Page, report: Report): void => {
  page.heading("Volume by level", 160)
  const volume = bars(report.points, { width: page.width, height: 120 })
  chart(page, volume, `${count(volume.top)} lines per ${report.stepMs >= 86_400_000 ? "day" : "hour"}`, report)
  legend(page, report)
  page.heading("Error rate", 110)
  const errors = line(report.errorRates, { width: page.width, height: 70 })
  chart(page, errors, `${percent(errors.top)} of all lines`, report)
}

const change = {
  title: "Change",
  of: (row: { readonly change: Change }) => row.change.text,
  mood: (row: { readonly change: Change }) => row.change.mood
}

const body = (page: Page, report: Report): void => {
  page.text(report.period, { size: 9, colour: faint })
  page.y += 3
  page.text(report.title, { face: "bold", size: 20, colour: ink })
  page.y += 4
  page.text(report.summary, { size: 10.5, colour: soft, lineGap: 2 })
  tiles(page, report)
  if (report.insights.length > 0) {
    page.heading("What stands out", 60)
    page.y -= 5
    page.text(report.wordedBy, { size: 8, colour: faint })
    page.y += 6
    insights(page, report)
  }
  if (!report.empty) charts(page, report)
  table(page, "Top problems", report.problems, [
    { title: "Pattern", of: ({ text }) => text, part: 0.58, words: "mono" },
    { title: "Lines", of: ({ lines }) => lines, part: 0.13 },
    { title: "Errors", of: ({ errors }) => errors, part: 0.13 },
    { ...change, part: 0.16 }
  ])
  table(page, "Services", report.services, [
    { title: "Service", of: ({ name }) => name, part: 0.44, words: "plain" },
    { title: "Lines", of: ({ lines }) => lines, part: 0.16 },
    { ...change, part: 0.14 },
    { title: "Errors", of: ({ errors }) => errors, part: 0.13 },
    { title: "p95", of: ({ p95 }) => p95, part: 0.13 }
  ])
  table(page, "Slowest endpoints", report.endpoints, [
    { title: "Endpoint", of: ({ name }) => name, part: 0.48, words: "plain" },
    { title: "Requests", of: ({ requests }) => requests, part: 0.13 },
    { title: "Median", of: ({ p50 }) => p50, part: 0.13 },
    { title: "p95", of: ({ p95 }) => p95, part: 0.13 },
    { title: "p99", of: ({ p99 }) => p99, part: 0.13 }
  ])
  turns(page, report)
  table(page, "Alerts", report.alerts, [
    { title: "Rule", of: ({ rule: name }) => name, part: 0.37, words: "plain" },
    { title: "Severity", of: ({ severity }) => severity, part: 0.13, words: "plain" },
    { title: "Fired", of: ({ fired }) => fired, part: 0.1 },
    { title: "Acknowledged after", of: ({ acknowledged }) => acknowledged, part: 0.22 },
    { title: "Lasted (median)", of: ({ lasted }) => lasted, part: 0.18 }
  ])
}

/** The bytes of the document. */
export const toPdf = (report: Report): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const doc = new PDFDocument({
      size: "A4",
      margin: Page.margin,
      bufferPages: true,
      lang: "en",
      info: { Title: report.title, Creator: "Loglytics", CreationDate: new Date(report.to) }
    })
    const chunks: Array<Buffer> = []
    doc.on("data", (chunk: Buffer) => chunks.push(chunk))
    doc.on("end", () => resolve(Buffer.concat(chunks)))
    doc.on("error", reject)
    const page = new Page(doc)
    body(page, report)
    page.numbers(`${report.project} · ${report.period} · all times in UTC`, faint)
    doc.end()
  })
