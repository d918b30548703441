/**
 * A report as a PDF of A4 pages, charts drawn as vectors. Its letters are those that every reader of PDF has, so it needs no
 * fonts of the machine; what they don't have (scripts other than Latin) is shown as "?", and stands in the mail itself.
 */
// The types know the default export only.
// oxlint-disable-next-line import/no-named-as-default
import PDFDocument from "pdfkit"
import { bars, type Chart, colours, drawn, line, type Shape } from "./Charts.ts"
import { count, percent } from "./Format.ts"
import { dayText, type Report, type Slow } from "./Report.ts"

type Document = InstanceType<typeof PDFDocument>

const ink = "#1c2430"
const faint = "#657081"
const rule = "#e6e9ee"
const marks = { critical: "#b5382f", warning: "#c98512", info: "#4a7fc1" } as const
const moods = { good: "#2e7d4f", bad: "#b5382f", plain: faint } as const
const margin = 50
const width = 595.28 - 2 * margin
const bottom = 841.89 - margin - 16

/** Letters that the built-in fonts have. */
const latin = (text: string): string =>
  text.replaceAll("−", "-").replace(/[^\u0020-\u007E\u00A0-\u00FF–—‘’“”•…€™]/gu, "?")

/** Begins a new page where `height` does not fit on this one. */
const room = (doc: Document, height: number): void => {
  if (doc.y + height > bottom) doc.addPage()
}

const heading = (doc: Document, title: string, with_: number): void => {
  room(doc, 34 + with_)
  doc.moveDown(1.2).font("Helvetica-Bold").fontSize(13).fillColor(ink).text(latin(title), margin, doc.y, { width })
  doc.moveDown(0.4)
}

const draw = (doc: Document, shape: Shape, x: number, y: number): void => {
  if (shape._tag === "Rect") {
    doc.rect(x + shape.x, y + shape.y, shape.w, shape.h).fill(shape.fill)
    return
  }
  for (const [i, [px, py]] of shape.points.entries()) {
    if (i === 0) doc.moveTo(x + px, y + py)
    else doc.lineTo(x + px, y + py)
  }
  if (shape._tag === "Area") doc.fill(shape.fill)
  else
    doc
      .lineWidth(shape.width * 0.75)
      .strokeColor(shape.stroke)
      .stroke()
}

const small = (doc: Document, text: string, x: number, y: number, options: object = {}): void => {
  doc
    .font("Helvetica")
    .fontSize(8)
    .fillColor(faint)
    .text(latin(text), x, y, { lineBreak: false, ...options })
}

const chart = (doc: Document, of: Chart, top: string, report: Report): void => {
  small(doc, top, margin, doc.y)
  const y = doc.y + 12
  for (const shape of of.shapes) draw(doc, shape, margin, y)
  small(doc, dayText(report.from), margin, y + of.height + 4)
  small(doc, dayText(report.to - 1), margin, y + of.height + 4, { width, align: "right" })
  doc.x = margin
  doc.y = y + of.height + 18
}

const legend = (doc: Document, report: Report): void => {
  let x = margin
  const y = doc.y
  for (const level of drawn.toReversed()) {
    if (!report.points.some(({ byLevel }) => byLevel[level] > 0)) continue
    doc.rect(x, y, 7, 7).fill(colours[level])
    small(doc, level, x + 10, y)
    x += 22 + doc.widthOfString(level)
  }
  doc.x = margin
  doc.y = y + 12
}

const tiles = (doc: Document, report: Report): void => {
  const y = doc.y + 14
  const each = width / report.tiles.length
  for (const [i, { label, mood, note, value }] of report.tiles.entries()) {
    const x = margin + i * each
    const options = { width: each - 10 }
    doc
      .moveTo(x, y - 6)
      .lineTo(x + each - 10, y - 6)
      .lineWidth(1.5)
      .strokeColor(rule)
      .stroke()
    doc.font("Helvetica").fontSize(8.5).fillColor(faint).text(latin(label), x, y, options)
    doc
      .font("Helvetica-Bold")
      .fontSize(17)
      .fillColor(ink)
      .text(latin(value), x, y + 12, options)
    doc
      .font("Helvetica")
      .fontSize(8)
      .fillColor(moods[mood])
      .text(latin(note), x, y + 33, options)
  }
  doc.x = margin
  doc.y = y + 54
}

const insights = (doc: Document, report: Report): void => {
  for (const { link, severity, text, title } of report.insights) {
    const inner = { width: width - 14 }
    doc.font("Helvetica-Bold").fontSize(10)
    const titleHeight = doc.heightOfString(latin(title), inner)
    doc.font("Helvetica").fontSize(9)
    const height =
      titleHeight + doc.heightOfString(latin(text), { ...inner, lineGap: 1.5 }) + (link.query === "" ? 4 : 16)
    room(doc, height + 8)
    const y = doc.y
    doc.rect(margin, y, 3, height).fill(marks[severity])
    doc
      .font("Helvetica-Bold")
      .fontSize(10)
      .fillColor(ink)
      .text(latin(title), margin + 12, y, inner)
    doc
      .font("Helvetica")
      .fontSize(9)
      .fillColor("#3b4654")
      .text(latin(text), margin + 12, doc.y + 1, { ...inner, lineGap: 1.5 })
    if (link.query !== "")
      doc
        .font("Courier")
        .fontSize(8)
        .fillColor(faint)
        .text(latin(link.query), margin + 12, doc.y + 1, { ...inner, height: 10, ellipsis: true })
    doc.x = margin
    doc.y = y + height + 9
  }
}

interface Column<A> {
  readonly title: string
  readonly of: (row: A) => string
  /** Part of the width. */
  readonly part: number
  readonly words?: "text" | "mono"
}

const table = <A>(doc: Document, rows: ReadonlyArray<A>, columns: ReadonlyArray<Column<A>>): void => {
  const places = columns.map(({ part }, i) => ({
    x: margin + columns.slice(0, i).reduce((sum, one) => sum + one.part, 0) * width,
    width: part * width - 8
  }))
  const cell = (column: Column<A>, i: number, text: string, y: number) =>
    doc.text(latin(text), places[i]!.x, y, {
      width: places[i]!.width,
      align: column.words === undefined ? "right" : "left"
    })
  const y = doc.y
  doc.font("Helvetica").fontSize(8).fillColor(faint)
  columns.forEach((column, i) => cell(column, i, column.title, y))
  doc.y = y + 13
  for (const row of rows) {
    const font = (column: Column<A>) =>
      doc.font(column.words === "mono" ? "Courier" : "Helvetica").fontSize(column.words === "mono" ? 8 : 9)
    const height =
      Math.max(
        ...columns.map((column, i) => font(column).heightOfString(latin(column.of(row)), { width: places[i]!.width }))
      ) + 8
    room(doc, height)
    const top = doc.y
    doc
      .moveTo(margin, top)
      .lineTo(margin + width, top)
      .lineWidth(0.7)
      .strokeColor(rule)
      .stroke()
    columns.forEach((column, i) => {
      font(column).fillColor(ink)
      cell(column, i, column.of(row), top + 4)
    })
    doc.x = margin
    doc.y = top + height
  }
}

const slowColumns = (what: string): ReadonlyArray<Column<Slow>> => [
  { title: what, of: ({ name }) => name, part: 0.48, words: "text" },
  { title: "Requests", of: ({ requests }) => requests, part: 0.13 },
  { title: "Median", of: ({ p50 }) => p50, part: 0.13 },
  { title: "p95", of: ({ p95 }) => p95, part: 0.13 },
  { title: "p99", of: ({ p99 }) => p99, part: 0.13 }
]

const body = (doc: Document, report: Report): void => {
  doc.font("Helvetica").fontSize(9).fillColor(faint).text(latin(report.period), margin, margin, { width })
  doc.moveDown(0.3)
  doc.font("Helvetica-Bold").fontSize(20).fillColor(ink).text(latin(report.title), { width })
  doc
    .moveDown(0.3)
    .font("Helvetica")
    .fontSize(10.5)
    .fillColor("#3b4654")
    .text(latin(report.summary), { width, lineGap: 2 })
  tiles(doc, report)
  heading(doc, "Volume by level", 160)
  const volume = bars(report.points, { width, height: 120 })
  chart(doc, volume, `${count(volume.top)} lines per ${report.stepMs >= 86_400_000 ? "day" : "hour"}`, report)
  legend(doc, report)
  heading(doc, "Error rate", 110)
  const errors = line(report.errorRates, { width, height: 70 })
  chart(doc, errors, `${percent(errors.top)} of all lines`, report)
  if (report.insights.length > 0) {
    heading(doc, "What stands out", 60)
    small(doc, report.wordedBy, margin, doc.y - 5)
    doc.y += 14
    insights(doc, report)
  }
  if (report.problems.length > 0) {
    heading(doc, "Top new problems", 40)
    table(doc, report.problems, [
      { title: "Pattern", of: ({ text }) => text, part: 0.6, words: "mono" },
      { title: "Lines", of: ({ lines }) => lines, part: 0.12 },
      { title: "Errors", of: ({ errors: n }) => n, part: 0.12 },
      { title: "First seen", of: ({ firstSeen }) => firstSeen, part: 0.16 }
    ])
  }
  if (report.services.length > 0) {
    heading(doc, "Slowest services", 40)
    table(doc, report.services, slowColumns("Service"))
  }
  if (report.endpoints.length > 0) {
    heading(doc, "Slowest endpoints", 40)
    table(doc, report.endpoints, slowColumns("Endpoint"))
  }
  if (report.alerts.length > 0) {
    heading(doc, "Alerts", 40)
    table(doc, report.alerts, [
      { title: "Rule", of: ({ rule: name }) => name, part: 0.37, words: "text" },
      { title: "Severity", of: ({ severity }) => severity, part: 0.13, words: "text" },
      { title: "Fired", of: ({ fired }) => fired, part: 0.1 },
      { title: "Acknowledged after", of: ({ acknowledged }) => acknowledged, part: 0.22 },
      { title: "Lasted (median)", of: ({ lasted }) => lasted, part: 0.18 }
    ])
  }
}

/** Page numbers, once it is known how many there are. */
const numbers = (doc: Document, report: Report): void => {
  const { count: pages, start } = doc.bufferedPageRange()
  for (let i = start; i < start + pages; i++) {
    doc.switchToPage(i)
    // What is written below the margin would begin a new page.
    doc.page.margins.bottom = 0
    small(doc, `${report.project} · ${report.period} · all times in UTC`, margin, bottom + 14)
    small(doc, `${i - start + 1} of ${pages}`, margin, bottom + 14, { width, align: "right" })
  }
}

/** The bytes of the document. */
export const toPdf = (report: Report): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const doc = new PDFDocument({
      size: "A4",
      margin,
      bufferPages: true,
      info: { Title: latin(report.title), Creator: "Loglytics", CreationDate: new Date(report.to) }
    })
    const chunks: Array<Buffer> = []
    doc.on("data", (chunk: Buffer) => chunks.push(chunk))
    doc.on("end", () => resolve(Buffer.concat(chunks)))
    doc.on("error", reject)
    body(doc, report)
    numbers(doc, report)
    doc.end()
  })
