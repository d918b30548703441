/**
 * Finds what is worth telling of a project's lines, words it and keeps it. Statistics find; a language model, where one is
 * set, may put what was found in better order and words. Where it fails or answers with what can't be believed, the
 * statistics' own words stay and the run says why.
 */
import { Clock, Effect, Schema } from "effect"
import { toldOf } from "../../analytics/Causes.ts"
import * as Find from "../../analytics/Insights.ts"
import * as Wording from "../../analytics/Wording.ts"
import { ProjectId } from "../../domain/Ids.ts"
import type { Insight } from "../../domain/Insight.ts"
import type { ProjectSettings as Settings } from "../../domain/ProjectSettings.ts"
import { redactionNames } from "../../domain/Redaction.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import * as Redact from "../../parse/Redact.ts"
import { Alerts } from "../../store/Alerts.ts"
import { Anomalies } from "../../store/Anomalies.ts"
import { Insights, modelNote } from "../../store/Insights.ts"
import { ProjectSettings } from "../../store/ProjectSettings.ts"
import { Rollups } from "../../store/Rollups.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { causes } from "./Analytics.ts"
import { gather } from "./Facts.ts"
import { Writer } from "./Writer.ts"

/** A time of a payload, ISO 8601. */
export const Instant = Schema.String.check(
  Schema.makeFilter(
    (text: string) => Number.isFinite(Date.parse(text)) || `expected ISO 8601, got ${JSON.stringify(text)}`
  )
)

export const GenerateInsights = Task.make("generate_insights", {
  payload: {
    projectId: ProjectId,
    /** Event time; a day before `to` where it is not given. */
    from: Schema.optionalKey(Instant),
    /** Now, where it is not given. */
    to: Schema.optionalKey(Instant)
  },
  result: Schema.Struct({
    projectId: ProjectId,
    runId: Schema.String,
    insights: Schema.Int,
    source: Schema.Literals(["statistics", "llm"]),
    note: Schema.NullOr(Schema.String)
  }),
  error: DependencyFailed,
  timeout: "10 minutes",
  retry: Retry.exponential({ attempts: 3, base: "10 seconds", cap: "2 minutes" }),
  unique: ({ from = "", projectId, to = "" }) => `${projectId} ${from} ${to}`
})

const dayMs = 86_400_000
const answerTokens = 2_000
const llmTimeoutMs = 45_000
/** Longest wait that a busy server may ask for before it is tried once more, ms. */
const waitMax = 10_000

/** Masks everything that a rule knows, whatever the project has switched off: these words leave the house. */
const redactorOf = ({ redaction }: Settings) =>
  Redact.make({ builtIn: Object.fromEntries(redactionNames.map((name) => [name, true])), custom: redaction.custom })
    .redactor

interface Worded {
  readonly summary: string
  readonly insights: ReadonlyArray<Insight>
  readonly source: "statistics" | "llm"
  readonly note: string | null
}

/** The findings in the model's words, or in their own with the reason. Fails only where the store does. */
const word = Effect.fnUntraced(function* (
  projectId: ProjectId,
  summary: string,
  insights: ReadonlyArray<Insight>,
  settings: Settings
) {
  const { ask, perDay } = yield* Writer
  const own = (note: string | null): Worded => ({ summary, insights, source: "statistics", note })
  if (ask === undefined || insights.length === 0) return own(null)
  const asked = yield* (yield* Insights).asked(projectId, (yield* Clock.currentTimeMillis) - dayMs)
  if (asked >= perDay) return own(`the ${perDay} questions that a language model may be asked in 24 hours are spent`)
  const redactor = redactorOf(settings)
  const question = {
    system: Wording.system,
    user: Wording.ask(insights, redactor.text),
    maxTokens: answerTokens,
    timeoutMs: llmTimeoutMs
  }
  const once = ask(question)
  const answer = yield* once.pipe(
    Effect.catch((error) =>
      error.retryable && error.unsure !== true && (error.retryAfterMs ?? 1_000) <= waitMax
        ? Effect.andThen(Effect.sleep(error.retryAfterMs ?? 1_000), once)
        : Effect.fail(error)
    ),
    Effect.result
  )
  if (answer._tag === "Failure") return own(`${modelNote} did not answer: ${answer.failure.reason}`)
  const read = Wording.read(answer.success, insights)
  if (!read.ok) return own(`${modelNote}'s answer is not used: ${read.why}`)
  const worded: Worded = { summary: read.summary, insights: read.insights, source: "llm", note: null }
  return worded
})

/** Spikes whose causes are looked for. */
const explainedMax = 3

/** Of spikes of errors also what changed most then: what people would look for next. */
const explained = Effect.fnUntraced(function* (projectId: ProjectId, insights: ReadonlyArray<Insight>) {
  const spikes = insights.filter(({ kind }) => kind === "error_spike").slice(0, explainedMax)
  return yield* Effect.forEach(insights, (insight) =>
    spikes.includes(insight)
      ? causes({ project: projectId, from: Date.parse(insight.link.from), to: Date.parse(insight.link.to) }).pipe(
          Effect.map((found) => found.causes.find((one) => one.kind === "template" && one.errors > 0)),
          Effect.map((cause) =>
            cause === undefined
              ? insight
              : { ...insight, text: `${insight.text} What changed most then: ${toldOf(cause)}` }
          ),
          // Too many lines to read in time: the spike stays as it is.
          Effect.catchTag("SearchTooSlow", () => Effect.succeed(insight))
        )
      : Effect.succeed(insight)
  )
})

/** Finds, words and keeps the insights of a window. */
export const makeRun = Effect.fnUntraced(function* (projectId: ProjectId, from: number, to: number) {
  const facts = yield* gather(projectId, from, to)
  const found = yield* explained(projectId, Find.find(facts))
  const { settings } = yield* (yield* ProjectSettings).get(projectId)
  const worded = yield* word(projectId, Find.summarize(facts, found), found, settings)
  const run = yield* (yield* Insights).save({
    project: projectId,
    from: new Date(facts.from).toISOString(),
    to: new Date(facts.to).toISOString(),
    madeAt: new Date(yield* Clock.currentTimeMillis).toISOString(),
    ...worded
  })
  return { facts, run }
})

/** The window that a payload names. */
export const windowOf = Effect.fnUntraced(function* (
  asked: { readonly from?: string; readonly to?: string },
  spanMs: number
) {
  const to = asked.to === undefined ? yield* Clock.currentTimeMillis : Date.parse(asked.to)
  const from = asked.from === undefined ? to - spanMs : Date.parse(asked.from)
  return from < to ? { from, to } : yield* Task.cancel("expected `from` before `to`")
})

export const GenerateInsightsLive = GenerateInsights.toLayer(
  Effect.gen(function* () {
    const context = yield* Effect.context<Rollups | Anomalies | Alerts | ProjectSettings | Insights | Writer>()
    return Effect.fn("GenerateInsights")(function* ({ projectId, ...asked }) {
      const { from, to } = yield* windowOf(asked, dayMs)
      const { run } = yield* makeRun(projectId, from, to).pipe(
        Effect.provideContext(context),
        Effect.mapError(dependencyFailed)
      )
      return { projectId, runId: run.id, insights: run.insights.length, source: run.source, note: run.note }
    })
  })
)
