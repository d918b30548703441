/**
 * A report as an e-mail: tables and inline styles only, since mail programs know little else, and charts as attached
 * pictures with their words beside them in HTML. Pure. All that comes from lines is escaped.
 */
import type { Insight } from "../domain/Insight.ts"
import { colours, drawn } from "./Charts.ts"
import { dayText, type Report, type Slow, type Tile } from "./Report.ts"
import { count, percent } from "./Format.ts"

/** A chart's picture: where it is (`cid:…`), and the value at its upper edge. */
export interface Picture {
  readonly src: string
  readonly top: number
}

export const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

const ink = "#1c2430"
const faint = "#657081"
const rule = "#e6e9ee"
const moods: Readonly<Record<Tile["mood"], string>> = { good: "#2e7d4f", bad: "#b5382f", plain: faint }
const marks: Readonly<Record<Insight["severity"], string>> = {
  critical: "#b5382f",
  warning: "#c98512",
  info: "#4a7fc1"
}
const font = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
const mono = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"

const section = (title: string, body: string, note = ""): string =>
  `<tr><td style="padding:26px 32px 0"><div style="font-size:16px;font-weight:600;color:${ink};padding-bottom:${note === "" ? 10 : 2}px">${escape(title)}</div>` +
  `${note === "" ? "" : `<div style="font-size:12px;color:${faint};padding-bottom:10px">${escape(note)}</div>`}${body}</td></tr>`

const tiles = (list: ReadonlyArray<Tile>): string =>
  `<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr>${list
    .map(
      ({ label, mood, note, value }) =>
        `<td width="25%" valign="top" style="padding:14px 10px 14px 0;border-top:2px solid ${rule}">` +
        `<div style="font-size:12px;color:${faint}">${escape(label)}</div>` +
        `<div style="font-size:24px;font-weight:600;color:${ink};line-height:1.35">${escape(value)}</div>` +
        `<div style="font-size:12px;color:${moods[mood]}">${escape(note)}</div></td>`
    )
    .join("")}</tr></table>`

/** What a chart can't say itself: its upper edge and its ends. */
const framed = (picture: Picture, alt: string, top: string, report: Report): string =>
  `<table role="presentation" width="100%" cellpadding="0" cellspacing="0">` +
  `<tr><td colspan="2" style="font-size:11px;color:${faint};padding-bottom:3px">${escape(top)}</td></tr>` +
  `<tr><td colspan="2"><img src="${escape(picture.src)}" width="576" alt="${escape(alt)}" style="display:block;width:100%;max-width:576px;height:auto;border:0"></td></tr>` +
  `<tr><td align="left" style="font-size:11px;color:${faint};padding-top:3px">${dayText(report.from)}</td>` +
  `<td align="right" style="font-size:11px;color:${faint};padding-top:3px">${dayText(report.to - 1)}</td></tr></table>`

const legend = (report: Report): string => {
  const there = drawn.filter((level) => report.points.some(({ byLevel }) => byLevel[level] > 0)).toReversed()
  return `<div style="font-size:12px;color:${faint};padding-top:8px">${there
    .map(
      (level) =>
        `<span style="white-space:nowrap;padding-right:14px"><span style="display:inline-block;width:10px;height:10px;background:${colours[level]}">&nbsp;</span>&nbsp;${level}</span> `
    )
    .join("")}</div>`
}

/** The dashboard takes a query; its time range stands in the text. */
const linkOf = ({ projectId, url }: Report, { query }: Insight["link"]): string => {
  if (query === "") return ""
  const words = `<span style="${mono};font-size:12px">${escape(query)}</span>`
  return url === null
    ? `<div style="color:${faint};padding-top:3px">${words}</div>`
    : `<div style="padding-top:3px"><a href="${escape(`${url}/logs?project=${encodeURIComponent(projectId)}&q=${encodeURIComponent(query)}`)}" style="color:#2f66a8;text-decoration:none">${words}</a></div>`
}

const insightList = (report: Report): string =>
  report.insights
    .map(
      ({ link, severity, text, title }) =>
        `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="margin-bottom:14px"><tr>` +
        `<td width="4" style="background:${marks[severity]};font-size:0">&nbsp;</td><td style="padding:0 0 0 12px">` +
        `<div style="font-size:14px;font-weight:600;color:${ink}">${escape(title)}</div>` +
        `<div style="font-size:13px;color:#3b4654;line-height:1.5">${escape(text)}</div>${linkOf(report, link)}</td></tr></table>`
    )
    .join("")

interface Column<A> {
  readonly title: string
  readonly of: (row: A) => string
  /** Words are left, numbers right. */
  readonly words?: "text" | "mono"
}

const table = <A>(rows: ReadonlyArray<A>, columns: ReadonlyArray<Column<A>>): string => {
  const align = ({ words }: Column<A>) => (words === undefined ? "right" : "left")
  const head = columns
    .map(
      (column) =>
        `<th align="${align(column)}" style="font-size:11px;font-weight:500;color:${faint};padding:0 10px 6px 0;border-bottom:1px solid ${rule}">${escape(column.title)}</th>`
    )
    .join("")
  const body = rows
    .map(
      (row) =>
        `<tr>${columns
          .map(
            (column) =>
              `<td align="${align(column)}" valign="top" style="font-size:13px;color:${ink};padding:7px 10px 7px 0;border-bottom:1px solid ${rule};${column.words === undefined ? "white-space:nowrap" : `word-break:break-word;${column.words === "mono" ? `${mono};font-size:12px` : ""}`}">${escape(column.of(row))}</td>`
          )
          .join("")}</tr>`
    )
    .join("")
  return `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="border-collapse:collapse"><tr>${head}</tr>${body}</table>`
}

const slowColumns = (what: string): ReadonlyArray<Column<Slow>> => [
  { title: what, of: ({ name }) => name, words: "text" },
  { title: "Requests", of: ({ requests }) => requests },
  { title: "Median", of: ({ p50 }) => p50 },
  { title: "p95", of: ({ p95 }) => p95 },
  { title: "p99", of: ({ p99 }) => p99 }
]

const unit = (stepMs: number): string => (stepMs >= 86_400_000 ? "day" : "hour")

/** The whole mail. */
export const toHtml = (report: Report, pictures: { readonly volume: Picture; readonly errors: Picture }): string => {
  const { alerts, endpoints, insights, problems, services } = report
  const parts = [
    `<tr><td style="padding:30px 32px 0"><div style="font-size:12px;color:${faint}">${escape(report.period)}</div>` +
      `<div style="font-size:24px;font-weight:700;color:${ink};line-height:1.3">${escape(report.title)}</div>` +
      `<div style="font-size:15px;color:#3b4654;line-height:1.55;padding-top:8px">${escape(report.summary)}</div></td></tr>`,
    `<tr><td style="padding:20px 32px 0">${tiles(report.tiles)}</td></tr>`,
    section(
      "Volume by level",
      framed(
        pictures.volume,
        "Lines over time, by level",
        `${count(pictures.volume.top)} lines per ${unit(report.stepMs)}`,
        report
      ) + legend(report)
    ),
    section(
      "Error rate",
      framed(pictures.errors, "Share of error lines over time", `${percent(pictures.errors.top)} of all lines`, report)
    ),
    insights.length === 0 ? "" : section("What stands out", insightList(report), report.wordedBy),
    problems.length === 0
      ? ""
      : section(
          "Top new problems",
          table(problems, [
            { title: "Pattern", of: ({ text }) => text, words: "mono" },
            { title: "Lines", of: ({ lines }) => lines },
            { title: "Errors", of: ({ errors }) => errors },
            { title: "First seen", of: ({ firstSeen }) => firstSeen }
          ])
        ),
    services.length === 0 ? "" : section("Slowest services", table(services, slowColumns("Service"))),
    endpoints.length === 0 ? "" : section("Slowest endpoints", table(endpoints, slowColumns("Endpoint"))),
    alerts.length === 0
      ? ""
      : section(
          "Alerts",
          table(alerts, [
            { title: "Rule", of: ({ rule: name }) => name, words: "text" },
            { title: "Severity", of: ({ severity }) => severity, words: "text" },
            { title: "Fired", of: ({ fired }) => fired },
            { title: "Acknowledged after", of: ({ acknowledged }) => acknowledged },
            { title: "Lasted (median)", of: ({ lasted }) => lasted }
          ])
        ),
    `<tr><td style="padding:28px 32px 30px;font-size:12px;color:${faint}">All times in UTC. The same report is attached as a PDF.${report.url === null ? "" : ` <a href="${escape(report.url)}" style="color:#2f66a8">Open Loglytics</a>`}</td></tr>`
  ]
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(report.title)}</title></head>` +
    `<body style="margin:0;padding:24px 8px;background:#f2f4f7;${font}"><table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center">` +
    `<table role="presentation" width="640" cellpadding="0" cellspacing="0" style="width:100%;max-width:640px;background:#ffffff;border-radius:8px">${parts.join("")}</table></td></tr></table></body></html>`
  )
}
