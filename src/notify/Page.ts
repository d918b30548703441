/** A message as an e-mail shows it: a page that mail programs of all ages show, light and dark, however long its lines. Pure. */
import type { Outgoing } from "../domain/Outgoing.ts"
import { cut } from "../domain/Text.ts"
import { alertsOf, labelsOf, samplesOf } from "./Words.ts"

const samplesMax = 10

const html = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")
const colors = { info: "#2f80ed", warning: "#c47f00", critical: "#c0202f" } as const

const alertsMax = 20

/** Mail programs that know dark screens ask for these; the others never see them. */
const dark = `@media (prefers-color-scheme:dark){.lg-page{background:#15171b!important}.lg-card{background:#1f2329!important;color:#e8eaee!important}.lg-quiet{color:#a4abb8!important}.lg-code{background:#15171b!important;color:#d5d9e0!important}.lg-link{color:#8ab4ff!important}}`
const font = "font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif"
const wrap = "overflow-wrap:anywhere;word-break:break-word"

/** The message as a page that mail programs of all ages show. */
export const pageOf = (message: Outgoing): string => {
  if (message.html !== undefined) return message.html
  const color = message.state === "resolved" ? "#1d8a5a" : colors[message.severity]
  const only = message.incident?.alerts.length === 1 ? message.incident.alerts[0] : undefined
  const labels = only === undefined ? "" : labelsOf(only)
  const alerts = alertsOf(message, alertsMax)
  const samples = samplesOf(message, samplesMax)
  const link = message.url
  const items = alerts.map((line) => `<li style="margin:0 0 4px">${html(line)}</li>`).join("")
  const standing =
    message.kind === "alert"
      ? [message.severity, ...(message.state === undefined ? [] : [message.state])].join(" · ")
      : ""
  const parts = [
    standing === ""
      ? ""
      : `<p class="lg-quiet" style="margin:0 0 4px;font-size:13px;color:#5b6270">${html(standing)}</p>`,
    `<h1 style="margin:0 0 12px;font-size:19px;line-height:1.3;${wrap}">${html(message.title)}</h1>`,
    `<p style="margin:0 0 12px;white-space:pre-wrap;${wrap}">${html(message.text)}</p>`,
    items === "" ? "" : `<ul style="margin:0 0 12px;padding:0 0 0 20px;${wrap}">${items}</ul>`,
    labels === "" ? "" : `<p class="lg-quiet" style="margin:0 0 12px;color:#5b6270;${wrap}">${html(labels)}</p>`,
    samples.length === 0
      ? ""
      : `<pre class="lg-code" style="margin:0 0 16px;padding:10px 12px;background:#f4f5f7;font:12px/1.5 ui-monospace,Consolas,Menlo,monospace;white-space:pre-wrap;${wrap}">${html(samples.join("\n"))}</pre>`,
    link === undefined
      ? ""
      : `<p style="margin:0"><a class="lg-link" href="${html(link)}" style="color:#2457c5">Open in Loglytics</a></p>`
  ]
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>${html(message.title)}</title><style>${dark}</style></head>
<body class="lg-page" style="margin:0;background:#f4f5f7;font-size:15px;line-height:1.5;${font}">
<table role="presentation" class="lg-page" width="100%" cellpadding="0" cellspacing="0" style="background:#f4f5f7"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" class="lg-card" width="100%" cellpadding="0" cellspacing="0" style="max-width:640px;table-layout:fixed;background:#fff;color:#1c1f24;border-top:4px solid ${color};text-align:left"><tr><td style="padding:20px 24px;${font};font-size:15px;line-height:1.5">
${parts.filter((part) => part !== "").join("\n")}
</td></tr></table></td></tr></table></body></html>`
}

/** The message as plain text. */
export const textOf = (message: Outgoing): string =>
  [
    message.text,
    alertsOf(message, alertsMax)
      .map((line) => `- ${line}`)
      .join("\n"),
    samplesOf(message, samplesMax).join("\n"),
    message.url ?? ""
  ]
    .filter((part) => part !== "")
    .join("\n\n")

/** One line. */
export const subjectOf = (message: Outgoing): string => cut(message.title.replace(/\s+/gu, " "), 200)
