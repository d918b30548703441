/** Handlers of the group `channels`. Changes are for admin keys: channels send in the name of this server. */
import { Clock, Effect, Redacted } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { randomUUID } from "node:crypto"
import type { ChannelId, ChannelKind } from "../../domain/Channel.ts"
import type { ProjectId } from "../../domain/Ids.ts"
import type { Outgoing } from "../../domain/Outgoing.ts"
import { Engine } from "../../jobs/Engine.ts"
import { Channels } from "../../store/Channels.ts"
import { Deliveries } from "../../store/Deliveries.ts"
import { Projects } from "../../store/Projects.ts"
import { isSent, senders } from "../../tasks/notifications/Senders.ts"
import { exampleMessage, previewOf } from "../../tasks/notifications/Preview.ts"
import { channelFault, kinds } from "../../tasks/notifications/Sending.ts"
import { Api } from "../Api.ts"
import { requestProject, requireAdmin } from "../Auth.ts"
import { type Invalid, invalid } from "../Errors.ts"
import { orNotFound, orUnavailable } from "./common.ts"

const listDefault = 100
/** How long a test waits for what became of its message. */
const testTime = "30 seconds"

const checked = (
  kind: ChannelKind,
  settings: unknown,
  secrets: Readonly<Record<string, string>>
): Effect.Effect<void, Invalid> => {
  const found = channelFault(kind, settings, secrets)
  return found === undefined ? Effect.void : Effect.fail(invalid(`payload.${found.field}`, found.fault))
}

const testMessage = (channel: { readonly id: ChannelId; readonly name: string }, now: number): Outgoing => ({
  key: `test.${channel.id}.${randomUUID()}`,
  kind: "test",
  title: `Test of the channel ${channel.name}`,
  text: "This is a test by Loglytics. Alerts of this project will be told here.",
  severity: "info",
  at: new Date(now).toISOString()
})

export const ChannelsHandlers = HttpApiBuilder.group(
  Api,
  "channels",
  Effect.fnUntraced(function* (handlers) {
    const channels = yield* Channels
    const deliveries = yield* Deliveries
    const engine = yield* Engine
    const projects = yield* Projects
    const requested = requestProject.pipe(Effect.provideService(Projects, projects))
    const administered = Effect.andThen(requireAdmin, requested)

    const mine = Effect.fnUntraced(function* (project: ProjectId, id: ChannelId) {
      const found = yield* orUnavailable(channels.get(id))
      return yield* orNotFound(found?.project === project ? found : undefined, `a channel of project "${project}"`)
    })

    return handlers.handleAll({
      kinds: () => Effect.succeed(kinds()),
      create: Effect.fnUntraced(function* ({ payload: { kind, name, secrets = {}, settings } }) {
        const project = yield* administered
        yield* checked(kind, settings, secrets)
        return yield* orUnavailable(channels.create({ project, name, kind, settings, secrets: Redacted.make(secrets) }))
      }),
      preview: Effect.fnUntraced(function* ({ payload: { kind, message, settings, template } }) {
        yield* requested
        const now = yield* Clock.currentTimeMillis
        const made = previewOf({ kind, settings, template, message: message ?? exampleMessage(now) })
        return "fault" in made ? yield* invalid("payload.settings", made.fault) : { kind, sent: made.sent }
      }),
      list: () => Effect.flatMap(requested, (project) => orUnavailable(channels.list(project))),
      change: Effect.fnUntraced(function* ({ params, payload: { enabled, name, secrets, settings } }) {
        const project = yield* administered
        const before = yield* mine(project, params.id)
        yield* checked(before.kind, settings ?? before.settings, secrets ?? {})
        const changed = yield* orUnavailable(
          channels.change(project, params.id, {
            name,
            enabled,
            settings,
            ...(secrets === undefined ? {} : { secrets: Redacted.make(secrets) })
          })
        )
        return yield* orNotFound(changed, `a channel of project "${project}"`)
      }),
      remove: Effect.fnUntraced(function* ({ params }) {
        const project = yield* administered
        const removed = yield* orUnavailable(channels.remove(project, params.id))
        yield* orNotFound(removed ? true : undefined, `a channel of project "${project}"`)
      }),
      test: Effect.fnUntraced(function* ({ params }) {
        const project = yield* administered
        const channel = yield* mine(project, params.id)
        const now = yield* Clock.currentTimeMillis
        const fault =
          isSent(channel.kind) && channel.enabled
            ? yield* senders[channel.kind]
                .run(
                  { projectId: project, channelId: channel.id, message: testMessage(channel, now) },
                  { retries: 0, expires: testTime }
                )
                .pipe(
                  Effect.provideService(Engine, engine),
                  Effect.timeout(testTime),
                  Effect.as(undefined),
                  Effect.catch((error) => Effect.succeed(error))
                )
            : { message: "the channel is switched off", retryable: false }
        return {
          ok: fault === undefined,
          message: fault?.message ?? null,
          retryable: fault !== undefined && (!("retryable" in fault) || fault.retryable),
          tookMs: (yield* Clock.currentTimeMillis) - now
        }
      }),
      deliveries: ({ query: { channel, incident, limit } }) =>
        Effect.flatMap(requested, (project) =>
          orUnavailable(deliveries.list({ project, channel, incident, limit: limit ?? listDefault }))
        )
    })
  })
)
