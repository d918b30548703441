/**
 * What all tasks that send a message by a channel have in common. Promises that a message's key is sent once on a channel,
 * however often the job runs and whoever dies when (store/Deliveries; what a crash in the midst of a call means is told by each
 * channel), that the messages of an incident leave in order, and that a channel which fails again and again is left alone for a while.
 */
import { Clock, Effect, Redacted, Schema, SchemaIssue } from "effect"
import { type Channel as KeptChannel, ChannelId, type ChannelKind, inApp } from "../../domain/Channel.ts"
import { ProjectId } from "../../domain/Ids.ts"
import { Outgoing } from "../../domain/Outgoing.ts"
import { cut, tidyAll } from "../../domain/Text.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { type AnyChannel, channels, type ChannelServices } from "../../notify/all.ts"
import { ChannelError } from "../../notify/Channel.ts"
import { applied, Template } from "../../notify/Template.ts"
import { Channels } from "../../store/Channels.ts"
import { Deliveries } from "../../store/Deliveries.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"

/** The message did not get through. */
export class NotSent extends Schema.TaggedError<NotSent>()("NotSent", {
  channel: Schema.String,
  reason: Schema.String,
  retryable: Schema.Boolean,
  retryAfterMs: Schema.optionalKey(Schema.Finite)
}) {
  override get message(): string {
    return `${this.channel}: ${this.reason}`
  }
}

const inAppChannel: Pick<KeptChannel, "kind" | "settings" | "enabled"> = { kind: "in_app", settings: {}, enabled: true }

/** Failures in a row after which a channel is left alone, and for how long then: it doubles with each further one, ms. */
const breakAfter = 5
const breakMs = 30_000
const breakMaxMs = 600_000

/** Until when a channel is left alone, epoch ms; undefined when it is not. */
export const brokenUntil = (failures: number, lastFailedAt: number | null): number | undefined =>
  failures < breakAfter || lastFailedAt === null
    ? undefined
    : lastFailedAt + Math.min(breakMaxMs, breakMs * 2 ** Math.min(20, failures - breakAfter))

/** A kind's module with the settings as it reads them, and the template that all kinds may have. */
export interface Ready {
  readonly channel: AnyChannel
  readonly settings: unknown
  readonly template: Template | undefined
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()
const strict = { errors: "all", onExcessProperty: "error" } as const

/** The value as its schema reads it; the faults with where they are. */
const readAs = <A>(
  schema: Schema.Codec<A, unknown>,
  value: unknown,
  place: string
): { value: A } | { fault: string } => {
  const read = Schema.decodeUnknownResult(schema)(value, strict)
  if (read._tag === "Success") return { value: read.success }
  const faults = format(read.failure.issue).issues.map(({ message, path }) => {
    const steps = [place, ...(path ?? []).map((step) => String(typeof step === "object" ? step.key : step))]
    const at = steps.filter((step) => step !== "").join(".")
    return at === "" ? message : `${at}: ${message}`
  })
  return { fault: cut(faults.join("; "), 1_000) }
}

/** The setting `template` of any kind; undefined where there is none. */
export const readTemplate = (template: unknown): { value: Template | undefined } | { fault: string } =>
  template === undefined ? { value: undefined } : readAs(Template, template, "template")

/** The kind's module and the settings as it reads them; the fault where they are not its own. */
export const prepare = (kind: ChannelKind, settings: unknown): Ready | { readonly fault: string } => {
  const channel = channels[kind]
  const { template, ...rest } = (settings ?? {}) as Readonly<Record<string, unknown>>
  const words = readTemplate(template)
  if ("fault" in words) return words
  const read = readAs(channel.settings as Schema.Codec<unknown>, rest, "")
  return "fault" in read ? read : { channel, settings: read.value, template: words.value }
}

/** What is wrong with the settings and secrets of a channel that is to be made; undefined when nothing is. */
export const channelFault = (
  kind: ChannelKind,
  settings: unknown,
  secrets: Readonly<Record<string, string>>
): { readonly field: "settings" | "secrets"; readonly fault: string } | undefined => {
  const ready = prepare(kind, settings)
  if ("fault" in ready) return { field: "settings", fault: ready.fault }
  const known = ready.channel.secrets.map(({ name }) => name)
  const strange = Object.keys(secrets).find((name) => !known.includes(name))
  if (strange !== undefined) {
    const taken = known.length === 0 ? "none (it takes none)" : `those named ${known.join(", ")}`
    return { field: "secrets", fault: `expected ${taken}, got ${JSON.stringify(strange)}` }
  }
  const fault = ready.channel.secretsFault?.(secrets)
  return fault === undefined ? undefined : { field: "secrets", fault }
}

/** The kinds of channels there are, for those who choose. */
export const kinds = () =>
  Object.values(channels).map(({ about, kind, secrets }) => ({ kind, about, secrets: [...secrets] }))

const payload = { projectId: ProjectId, channelId: ChannelId, message: Outgoing }
const Result = Schema.Struct({ status: Schema.Literals(["sent", "sent before"]) })

/** Defines the task that sends by channels of one kind. */
export const define = <const Name extends string>(name: Name, kind: ChannelKind) =>
  Task.make(name, {
    payload,
    result: Result,
    error: Schema.Union([NotSent, DependencyFailed]),
    queue: "high-priority",
    timeout: "40 seconds",
    // Some hours: whoever was away for so long is told late, which is better than never.
    retry: Retry.exponential({ attempts: 30, base: "5 seconds", cap: "10 minutes" }),
    rateLimit: { limit: `${channels[kind].perSecond}/s`, key: ({ channelId }) => channelId }
  })

/** What became of a failed sending, in the words of the tasks. */
const notSent = ({ channel, reason, retryAfterMs, retryable }: ChannelError) =>
  new NotSent({ channel, reason, retryable, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })

/** The handler of such a task. */
export const handler = Effect.gen(function* () {
  const kept = yield* Channels
  const deliveries = yield* Deliveries
  const services = yield* Effect.context<ChannelServices>()

  /** The channel, ready to send by; or why it can't be. */
  const open = Effect.fnUntraced(function* (id: ChannelId, projectId: ProjectId) {
    const found =
      id === inApp
        ? {
            channel: { ...inAppChannel, project: projectId, failures: 0 },
            secrets: Redacted.make({}),
            lastFailedAt: null
          }
        : yield* Effect.mapError(kept.open(id), dependencyFailed)
    if (found === undefined || found.channel.project !== projectId) return { gone: "the channel is gone" }
    if (!found.channel.enabled) return { gone: "the channel is switched off" }
    const ready = prepare(found.channel.kind, found.channel.settings)
    const { channel: record, lastFailedAt, secrets } = found
    return "fault" in ready ? { gone: ready.fault } : { ...ready, record, lastFailedAt, secrets }
  })

  return Effect.fn("Send")(function* (given: Schema.Struct.Type<typeof payload>) {
    const { channelId, projectId } = given
    const message = tidyAll(given.message)
    const { key } = message
    const opened = yield* open(channelId, projectId)
    if ("gone" in opened) {
      yield* Effect.mapError(deliveries.drop(key, opened.gone), dependencyFailed)
      return yield* Task.cancel(opened.gone)
    }
    const now = yield* Clock.currentTimeMillis
    const until = brokenUntil(opened.record.failures, opened.lastFailedAt)
    if (until !== undefined && until > now) return yield* Task.snooze(`${until - now} millis`)
    const begun = yield* deliveries
      .begin({ project: projectId, channel: channelId, message })
      .pipe(Effect.mapError(dependencyFailed))
    if (begun._tag === "Over") {
      return begun.status === "sent" ? { status: "sent before" as const } : yield* Task.cancel("it was dropped before")
    }
    if (begun._tag === "Busy") return yield* Task.snooze(`${Math.max(100, begun.leftMs)} millis`)
    const { previous, progress, repeated } = begun
    const { reference, warning } = yield* opened.channel
      .send({
        project: projectId,
        settings: opened.settings,
        secrets: Redacted.value(opened.secrets),
        message: applied(opened.template, message),
        previous,
        repeated,
        progress,
        note: (far) => Effect.ignore(deliveries.note(key, far)),
        now
      })
      .pipe(
        Effect.provideContext(services),
        Effect.tapError((error) =>
          Effect.all([
            Effect.ignore(
              deliveries.failed(key, error.reason, { unsure: error.unsure === true, again: error.retryable })
            ),
            Effect.ignore(kept.failed(channelId, error.reason, error.retryable))
          ])
        ),
        Effect.mapError(notSent)
      )
    yield* Effect.mapError(deliveries.sent(key, reference, warning), dependencyFailed)
    yield* Effect.ignore(kept.worked(channelId, warning))
    return { status: "sent" as const }
  })
})
