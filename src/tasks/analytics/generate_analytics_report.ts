/**
 * Makes the report of a project and a window and sends it by e-mail: HTML with charts as pictures in it, and the same as a
 * PDF. Sent once per window, channel and recipients, however often it runs (the key of the delivery says so).
 */
import { createHash } from "node:crypto"
import { Effect, Schema } from "effect"
import * as Charts from "../../analytics/Charts.ts"
import { toPng } from "../../analytics/Pictures.ts"
import { make, type Report, toText } from "../../analytics/Report.ts"
import { toHtml } from "../../analytics/ReportHtml.ts"
import { toPdf } from "../../analytics/ReportPdf.ts"
import { ChannelId } from "../../domain/Channel.ts"
import { ProjectId } from "../../domain/Ids.ts"
import { type Outgoing, textMax, titleMax } from "../../domain/Outgoing.ts"
import { Engine } from "../../jobs/Engine.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { PublicUrl } from "../../notify/Channel.ts"
import { Alerts } from "../../store/Alerts.ts"
import { Anomalies } from "../../store/Anomalies.ts"
import { Channels } from "../../store/Channels.ts"
import { Insights } from "../../store/Insights.ts"
import { Projects } from "../../store/Projects.ts"
import { ProjectSettings } from "../../store/ProjectSettings.ts"
import { Rollups } from "../../store/Rollups.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { SendEmail } from "../notifications/send_email.ts"
import { gather } from "./Facts.ts"
import { Instant, makeRun, windowOf } from "./generate_insights.ts"
import { Writer } from "./Writer.ts"

const Recipients = Schema.Array(Schema.NonEmptyString.check(Schema.isMaxLength(320))).check(Schema.isMaxLength(50))

export const GenerateAnalyticsReport = Task.make("generate_analytics_report", {
  payload: {
    projectId: ProjectId,
    /** Event time; a week before `to` where it is not given. */
    from: Schema.optionalKey(Instant),
    /** Now, where it is not given. */
    to: Schema.optionalKey(Instant),
    /** E-mail addresses; those of the channel where none is given. */
    recipients: Schema.optionalKey(Recipients),
    /** The e-mail channel to send by; the project's first one where it is not given. */
    channelId: Schema.optionalKey(ChannelId)
  },
  result: Schema.Struct({
    projectId: ProjectId,
    title: Schema.String,
    /** The job of send_email. */
    jobId: Schema.String,
    recipients: Recipients,
    /** Bytes. */
    html: Schema.Int,
    pdf: Schema.Int
  }),
  error: DependencyFailed,
  timeout: "10 minutes",
  retry: Retry.exponential({ attempts: 3, base: "30 seconds", cap: "5 minutes" })
})

const dayMs = 86_400_000
const chartSize = { width: 576, height: 150 } as const
const rateSize = { width: 576, height: 90 } as const
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64")

/** The report as a message, with everything that is seen in it. */
export const messageOf = (report: Report, pdf: Uint8Array, key: string, to: ReadonlyArray<string>): Outgoing => {
  const volume = Charts.bars(report.points, chartSize)
  const errors = Charts.line(report.errorRates, rateSize)
  const picture = (name: string, chart: Charts.Chart) => ({
    name: `${name}.png`,
    type: "image/png",
    base64: base64(toPng(chart)),
    inline: `${name}.png`
  })
  const stamp = new Date(report.from).toISOString().slice(0, 10)
  return {
    key,
    kind: "report",
    title: `${report.title}, ${report.period}`.slice(0, titleMax),
    text: toText(report, textMax),
    html: toHtml(report, {
      volume: { src: "cid:volume.png", top: volume.top },
      errors: { src: "cid:errors.png", top: errors.top }
    }),
    severity: "info",
    ...(report.url === null ? {} : { url: report.url }),
    at: new Date(report.to).toISOString(),
    attachments: [
      picture("volume", volume),
      picture("errors", errors),
      { name: `report-${stamp}.pdf`, type: "application/pdf", base64: base64(pdf) }
    ],
    ...(to.length === 0 ? {} : { to })
  }
}

export const GenerateAnalyticsReportLive = GenerateAnalyticsReport.toLayer(
  Effect.gen(function* () {
    const context = yield* Effect.context<Rollups | Anomalies | Alerts | ProjectSettings | Insights | Writer>()
    const channels = yield* Channels
    const projects = yield* Projects
    const insights = yield* Insights
    const engine = yield* Engine
    const url = yield* PublicUrl

    const channelOf = Effect.fnUntraced(function* (projectId: ProjectId, id: ChannelId | undefined) {
      const all = yield* Effect.mapError(channels.list(projectId), dependencyFailed)
      const mails = all.filter(({ enabled, kind }) => kind === "email" && enabled)
      const found = id === undefined ? mails[0] : mails.find((one) => one.id === id)
      return (
        found ??
        (yield* Task.cancel(
          "expected an e-mail channel of the project that is switched on, got none: make one with POST /v1/channels"
        ))
      )
    })

    /** The insights of this window, made anew unless they are there: every recipient reads the same. */
    const found = Effect.fnUntraced(function* (projectId: ProjectId, from: number, to: number) {
      const facts = yield* gather(projectId, from, to)
      const kept = (yield* insights.list(projectId, 20)).find(
        (run) => Date.parse(run.from) === facts.from && Date.parse(run.to) === facts.to
      )
      return { facts, run: kept ?? (yield* makeRun(projectId, from, to)).run }
    })

    return Effect.fn("GenerateAnalyticsReport")(function* ({ channelId, projectId, recipients = [], ...asked }) {
      const { from, to } = yield* windowOf(asked, 7 * dayMs)
      const channel = yield* channelOf(projectId, channelId)
      const project = yield* Effect.mapError(projects.get(projectId), dependencyFailed)
      const { facts, run } = yield* found(projectId, from, to).pipe(
        Effect.provideContext(context),
        Effect.mapError(dependencyFailed)
      )
      const report = make({
        project: project?.name ?? projectId,
        projectId,
        facts,
        alerts: facts.alertList.map((alert) => ({
          ruleName: alert.ruleName,
          severity: alert.severity,
          startedAt: alert.startedAt,
          resolvedAt: alert.resolvedAt,
          acknowledgedAt: alert.acknowledged?.at ?? null
        })),
        run,
        url: url ?? null
      })
      const pdf = yield* Effect.promise(() => toPdf(report))
      const who = createHash("sha256").update(recipients.toSorted().join("\n")).digest("hex").slice(0, 12)
      const key = `report.${projectId}.${facts.from}.${facts.to}.${channel.id}.${who}`
      const message = messageOf(report, pdf, key, recipients)
      const jobId = yield* engine
        .enqueue(SendEmail.job({ projectId, channelId: channel.id, message }), { id: key })
        .pipe(Effect.mapError(dependencyFailed))
      return {
        projectId,
        title: message.title,
        jobId: String(jobId),
        recipients,
        html: message.html?.length ?? 0,
        pdf: pdf.length
      }
    })
  })
)
