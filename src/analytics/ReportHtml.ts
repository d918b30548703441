/**
 * A report as an e-mail: tables and inline styles, since mail programs know little else, with a style sheet on top for those that
 * know narrow screens and dark ones. Charts are attached pictures with their words beside them in HTML. Pure. All that comes
 * from lines is escaped.
 */
import type { Insight } from "../domain/Insight.ts"
import { colours, drawn, ticks } from "./Charts.ts"
import { count, percent } from "./Format.ts"
import type { Report, Tile } from "./Report.ts"
import type { Change, ServiceRow, Turn } from "./ReportRows.ts"

/** A chart's picture: where it is (`cid:…`), and the value at its upper edge. */
export interface Picture {
  readonly src: string
  readonly top: number
}

export const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

const ink = "#1c2430"
const soft = "#3b4654"
const faint = "#657081"
const rule = "#e6e9ee"
const link = "#2f66a8"
const moods: Readonly<Record<Tile["mood"], string>> = { good: "#2e7d4f", bad: "#b5382f", plain: faint }
const marks: Readonly<Record<Insight["severity"], string>> = {
  critical: "#b5382f",
  warning: "#c98512",
  info: "#4a7fc1"
}
const font = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
const mono = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"

/** Inline styles are those of a light and wide screen; the sheet wins over them where a mail program knows it. */
const sheet = [
  ":root{color-scheme:light dark;supported-color-schemes:light dark}",
  "@media (prefers-color-scheme:dark){.back{background:#11151a!important}.card{background:#1a2028!important}" +
    ".ink{color:#e9edf3!important}.soft{color:#c0c9d4!important}.faint,.plain{color:#93a0b0!important}" +
    ".rule{border-color:#343d49!important}.link{color:#82b3ef!important}.good{color:#6fc491!important}.bad{color:#f28b82!important}}",
  "@media (max-width:560px){.pad{padding-left:18px!important;padding-right:18px!important}.wide{display:none!important}" +
    ".tile{display:inline-block!important;width:48%!important;box-sizing:border-box!important}.title{font-size:21px!important}" +
    ".back{padding:0!important}.card{border-radius:0!important}.cell{font-size:12px!important}}"
].join("")

const colourOf: Readonly<Record<string, string>> = { ink, soft, faint, link, ...moods }
/** Class and colour of the same name. */
const tint = (name: string, style: string): string => `class="${name}" style="color:${colourOf[name]};${style}"`

const section = (title: string, body: string, note = ""): string =>
  `<tr><td class="pad" style="padding:28px 32px 0"><div ${tint("ink", `font-size:16px;font-weight:600;padding-bottom:${note === "" ? 10 : 2}px`)}>${escape(title)}</div>` +
  `${note === "" ? "" : `<div ${tint("faint", "font-size:12px;padding-bottom:12px")}>${escape(note)}</div>`}${body}</td></tr>`

const layout = `role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"`

const tiles = (list: ReadonlyArray<Tile>): string =>
  `<table ${layout}><tr>${list
    .map(
      ({ label, mood, note, value }) =>
        `<td class="tile rule" width="25%" valign="top" style="padding:14px 10px 12px 0;border-top:2px solid ${rule}">` +
        `<div ${tint("faint", "font-size:12px")}>${escape(label)}</div>` +
        `<div ${tint("ink", "font-size:24px;font-weight:600;line-height:1.35")}>${escape(value)}</div>` +
        `<div ${tint(mood, "font-size:12px")}>${escape(note)}</div></td>`
    )
    .join("")}</tr></table>`

/** Marks of time under a chart, as cells of their widths. */
const axis = ({ from, to }: Report): string => {
  const marked = ticks(from, to)
  const cell = (width: number, text: string): string =>
    `<td width="${Math.round(width * 1_000) / 10}%" ${tint("faint", "font-size:11px;padding-top:4px;white-space:nowrap;overflow:hidden")}>${escape(text)}</td>`
  const first = marked[0]?.at ?? 1
  const cells = marked.map(({ at, text }, i) => {
    const width = (marked[i + 1]?.at ?? 1) - at
    // No room for words at the right edge.
    return cell(width, width < 0.06 ? "" : text)
  })
  return `<table ${layout} style="table-layout:fixed"><tr>${first > 0.001 ? cell(first, "") : ""}${cells.join("")}</tr></table>`
}

/** What a chart can't say itself: its upper edge and its times. */
const framed = (picture: Picture, alt: string, top: string, report: Report): string =>
  `<div ${tint("faint", "font-size:11px;padding-bottom:3px")}>${escape(top)}</div>` +
  `<img src="${escape(picture.src)}" width="576" alt="${escape(alt)}" style="display:block;width:100%;max-width:576px;height:auto;border:0">` +
  axis(report)

const legend = (report: Report): string => {
  const there = drawn.filter((level) => report.points.some(({ byLevel }) => byLevel[level] > 0)).toReversed()
  return `<div ${tint("faint", "font-size:12px;padding-top:8px")}>${there
    .map(
      (level) =>
        `<span style="white-space:nowrap"><span style="display:inline-block;width:10px;height:10px;border-radius:2px;background:${colours[level]}">&nbsp;</span>&nbsp;${level}</span>&emsp; `
    )
    .join("")}</div>`
}

/** The dashboard takes a query; its time range stands in the text. */
const linkOf = ({ projectId, url }: Report, { query }: Insight["link"]): string => {
  if (query === "") return ""
  const style = `${mono};font-size:12px;padding-top:3px;word-break:break-word`
  if (url === null) return `<div ${tint("faint", style)}>${escape(query)}</div>`
  const href = `${url}/logs?project=${encodeURIComponent(projectId)}&q=${encodeURIComponent(query)}`
  return `<div style="${style}"><a href="${escape(href)}" ${tint("link", "text-decoration:none")}>${escape(query)}</a></div>`
}

const insightList = (report: Report): string =>
  report.insights
    .map(
      ({ link: where, severity, text, title }) =>
        `<table ${layout} style="margin-bottom:16px"><tr>` +
        `<td width="4" style="background:${marks[severity]};font-size:0;border-radius:2px">&nbsp;</td><td style="padding:0 0 0 12px">` +
        `<div ${tint("ink", "font-size:14px;font-weight:600;line-height:1.4;word-break:break-word")}>${escape(title)}</div>` +
        `<div ${tint("soft", "font-size:13px;line-height:1.5;word-break:break-word")}>${escape(text)}</div>${linkOf(report, where)}</td></tr></table>`
    )
    .join("")

interface Column<A> {
  readonly title: string
  readonly of: (row: A) => string
  readonly mood?: (row: A) => Change["mood"]
  /** Words are left, numbers right. */
  readonly words?: "text" | "mono"
  /** Left out on narrow screens. */
  readonly wide?: true
}

const table = <A>(rows: ReadonlyArray<A>, columns: ReadonlyArray<Column<A>>): string => {
  const align = ({ words }: Column<A>) => (words === undefined ? "right" : "left")
  const kind = ({ wide }: Column<A>) => `rule${wide === true ? " wide" : ""}`
  const pad = (i: number, y: string) => `padding:${y};padding-left:${i === 0 ? 0 : 10}px`
  const head = columns
    .map(
      (column, i) =>
        `<th align="${align(column)}" class="${kind(column)} faint" style="font-size:11px;font-weight:500;color:${faint};${pad(i, "0 0 6px")};border-bottom:1px solid ${rule}">${escape(column.title)}</th>`
    )
    .join("")
  const cell = (column: Column<A>, row: A, i: number): string => {
    const mood = column.mood?.(row) ?? "ink"
    const words = column.words === undefined ? "white-space:nowrap" : "word-break:break-word"
    const type = column.words === "mono" ? `${mono};font-size:12px` : "font-size:13px"
    return `<td align="${align(column)}" valign="top" class="${kind(column)} cell ${mood}" style="color:${colourOf[mood]};${type};${pad(i, "7px 0")};border-bottom:1px solid ${rule};${words}">${escape(column.of(row))}</td>`
  }
  const body = rows.map((row) => `<tr>${columns.map((column, i) => cell(column, row, i)).join("")}</tr>`).join("")
  return `<table width="100%" cellpadding="0" cellspacing="0" border="0" style="border-collapse:collapse"><tr>${head}</tr>${body}</table>`
}

const changed = <A extends { readonly change: Change }>(title: string): Column<A> => ({
  title,
  of: ({ change }) => change.text,
  mood: ({ change }) => change.mood
})

/** A column only where one of the rows has something to say. */
const told = <A extends { readonly change: Change }>(rows: ReadonlyArray<A>, column: Column<A>) =>
  rows.some(({ change }) => change.text !== "") ? [column] : []

const turnList = (turns: ReadonlyArray<Turn>): string =>
  turns
    .map(
      ({ kind, note, text }) =>
        `<table ${layout}><tr><td width="18" valign="top" ${tint(kind === "came" ? "ink" : "faint", "font-size:14px;font-weight:600")}>${kind === "came" ? "+" : "−"}</td>` +
        `<td style="padding-bottom:8px"><div ${tint("ink", `${mono};font-size:12px;line-height:1.5;word-break:break-word`)}>${escape(text)}</div>` +
        `<div ${tint("faint", "font-size:12px")}>${escape(note)}</div></td></tr></table>`
    )
    .join("")

const unit = (stepMs: number): string => (stepMs >= 86_400_000 ? "day" : "hour")

const chartSections = (report: Report, pictures: { readonly volume: Picture; readonly errors: Picture }): string =>
  section(
    "Volume by level",
    framed(
      pictures.volume,
      "Lines over time, by level",
      `${count(pictures.volume.top)} lines per ${unit(report.stepMs)}`,
      report
    ) + legend(report)
  ) +
  section(
    "Error rate",
    framed(pictures.errors, "Share of error lines over time", `${percent(pictures.errors.top)} of all lines`, report)
  )

/** The whole mail. */
export const toHtml = (report: Report, pictures: { readonly volume: Picture; readonly errors: Picture }): string => {
  const { alerts, endpoints, insights, problems, services, turns } = report
  const parts = [
    `<tr><td class="pad" style="padding:30px 32px 0"><div ${tint("faint", "font-size:12px")}>${escape(report.period)}</div>` +
      `<div class="ink title" style="font-size:24px;font-weight:700;color:${ink};line-height:1.3;word-break:break-word">${escape(report.title)}</div>` +
      `<div ${tint("soft", "font-size:15px;line-height:1.55;padding-top:8px;word-break:break-word")}>${escape(report.summary)}</div></td></tr>`,
    `<tr><td class="pad" style="padding:20px 32px 0">${tiles(report.tiles)}</td></tr>`,
    insights.length === 0 ? "" : section("What stands out", insightList(report), report.wordedBy),
    report.empty ? "" : chartSections(report, pictures),
    problems.length === 0
      ? ""
      : section(
          "Top problems",
          table(problems, [
            { title: "Pattern", of: ({ text }) => text, words: "mono" },
            { title: "Lines", of: ({ lines }) => lines },
            { title: "Errors", of: ({ errors }) => errors },
            ...told(problems, changed("Change"))
          ])
        ),
    services.length === 0
      ? ""
      : section(
          "Services",
          table<ServiceRow>(services, [
            { title: "Service", of: ({ name }) => name, words: "text" },
            { title: "Lines", of: ({ lines }) => lines },
            ...told(services, { ...changed<ServiceRow>("Change"), wide: true }),
            { title: "Errors", of: ({ errors }) => errors },
            { title: "p95", of: ({ p95 }) => p95 }
          ])
        ),
    endpoints.length === 0
      ? ""
      : section(
          "Slowest endpoints",
          table(endpoints, [
            { title: "Endpoint", of: ({ name }) => name, words: "text" },
            { title: "Requests", of: ({ requests }) => requests },
            { title: "Median", of: ({ p50 }) => p50, wide: true },
            { title: "p95", of: ({ p95 }) => p95 },
            { title: "p99", of: ({ p99 }) => p99, wide: true }
          ])
        ),
    turns.length === 0 ? "" : section("Patterns that came and went", turnList(turns)),
    alerts.length === 0
      ? ""
      : section(
          "Alerts",
          table(alerts, [
            { title: "Rule", of: ({ rule: name }) => name, words: "text" },
            { title: "Severity", of: ({ severity }) => severity, wide: true },
            { title: "Fired", of: ({ fired }) => fired },
            { title: "Acknowledged after", of: ({ acknowledged }) => acknowledged },
            { title: "Lasted (median)", of: ({ lasted }) => lasted, wide: true }
          ])
        ),
    `<tr><td class="pad faint" style="padding:28px 32px 30px;font-size:12px;color:${faint}">All times in UTC. The same report is attached as a PDF.${report.url === null ? "" : ` <a href="${escape(report.url)}" ${tint("link", "")}>Open Loglytics</a>`}</td></tr>`
  ]
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">` +
    `<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark"><title>${escape(report.title)}</title><style>${sheet}</style></head>` +
    `<body class="back" style="margin:0;padding:24px 8px;background:#f2f4f7;${font}"><table ${layout}><tr><td align="center">` +
    `<table class="card" role="presentation" width="640" cellpadding="0" cellspacing="0" border="0" style="width:100%;max-width:640px;background:#ffffff;border-radius:8px;text-align:left">${parts.join("")}</table></td></tr></table></body></html>`
  )
}
