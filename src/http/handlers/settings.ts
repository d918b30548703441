/** Handlers of the group `settings`. */
import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { StoredEvent } from "../../domain/LogEvent.ts"
import { changed } from "../../domain/ProjectSettings.ts"
import * as Decoder from "../../parse/Decoder.ts"
import { Projects } from "../../store/Projects.ts"
import { ProjectSettings } from "../../store/ProjectSettings.ts"
import { LogStream } from "../../streams/LogStream.ts"
import { Api } from "../Api.ts"
import { Principal } from "../api/auth.ts"
import { projectFor, requestProject, requireAdmin } from "../Auth.ts"
import { Invalid } from "../Errors.ts"
import { orUnavailable } from "./common.ts"

/** Settings that can't be used are refused before they are kept, every fault at once. */
const refuse = (faults: ReadonlyArray<Decoder.SettingsFault>, at: string): Effect.Effect<void, Invalid> => {
  if (faults.length === 0) return Effect.void
  const issues = faults.map(({ fault, path }) => ({ path: `${at}.${path}`, message: fault }))
  return Effect.fail(new Invalid({ message: issues.map((one) => `${one.path}: ${one.message}`).join("; "), issues }))
}

export const SettingsHandlers = HttpApiBuilder.group(
  Api,
  "settings",
  Effect.fnUntraced(function* (handlers) {
    const settings = yield* ProjectSettings
    const projects = yield* Projects
    const stream = yield* LogStream
    const known = (id: string) =>
      Effect.flatMap(Principal, (key) => projectFor(key, id)).pipe(Effect.provideService(Projects, projects))
    return handlers.handleAll({
      get: ({ params }) =>
        Effect.flatMap(known(params.id), (project) =>
          orUnavailable(Effect.map(settings.get(project), (kept) => kept.settings))
        ),
      change: Effect.fnUntraced(function* ({ params, payload }) {
        // Who may only send lines may not turn off what masks them, nor shorten how long they are kept.
        yield* requireAdmin
        const project = yield* known(params.id)
        const before = yield* orUnavailable(settings.get(project))
        yield* refuse(Decoder.make(changed(before.settings, payload)).faults, "payload")
        const after = yield* orUnavailable(settings.change(project, payload))
        // Kept before the stream is told, and told before the answer: lines sent after it are decoded by it.
        const now = yield* Clock.currentTimeMillis
        yield* orUnavailable(stream.rulesChanged(project, now, JSON.stringify(after)))
        return after.settings
      }),
      preview: Effect.fnUntraced(function* ({ payload }) {
        const project = yield* requestProject.pipe(Effect.provideService(Projects, projects))
        // Whoever may only send lines may not have this process run patterns of their own.
        if (payload.settings !== undefined) yield* requireAdmin
        const kept = yield* orUnavailable(settings.get(project))
        const { decoder, faults } = Decoder.make(changed(kept.settings, payload.settings ?? {}))
        yield* refuse(faults, "payload.settings")
        const now = yield* Clock.currentTimeMillis
        return payload.lines.map((line) => {
          const { hits, text } = decoder.redactor.explain(line)
          const [event] = decoder.lines([line], now)
          return {
            line: text,
            hits: [...hits],
            event: {
              level: event?.level ?? "unknown",
              service: event?.service ?? "",
              message: event?.message ?? "",
              attributes: (event?.attributes ?? {}) as StoredEvent["attributes"]
            }
          }
        })
      })
    })
  })
)
