/** Handlers of the group `connections`. */
import { Clock, Effect, Redacted } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { Connection } from "../../domain/Connection.ts"
import type { ConnectionId } from "../../domain/Ids.ts"
import { sources } from "../../ingest/all.ts"
import { AllowPrivate, noSecrets, type Secrets } from "../../ingest/Source.ts"
import { Connections } from "../../store/Connections.ts"
import { Projects } from "../../store/Projects.ts"
import { Api } from "../Api.ts"
import { requestProject, requireAdmin } from "../Auth.ts"
import { Invalid } from "../Errors.ts"
import { orNotFound, orUnavailable } from "./common.ts"

/** Fails with what is wrong with settings and credentials, each fault with its path. */
const checked = (
  kind: Connection["kind"],
  config: Connection["config"],
  secrets: Secrets
): Effect.Effect<void, Invalid> => {
  const issues = sources[kind].validate(config, secrets).map(({ message, path }) => ({
    path: ["payload", ...path].join("."),
    message
  }))
  return issues.length === 0
    ? Effect.void
    : Effect.fail(new Invalid({ message: issues.map((i) => `${i.path}: ${i.message}`).join("; "), issues }))
}

const secretsOf = (given: Readonly<Record<string, string>> | undefined): Secrets =>
  given === undefined ? noSecrets : Redacted.make(given)

export const ConnectionsHandlers = HttpApiBuilder.group(
  Api,
  "connections",
  Effect.fnUntraced(function* (handlers) {
    const connections = yield* Connections
    const projects = yield* Projects
    const allowPrivate = yield* AllowPrivate
    const requested = Effect.andThen(requireAdmin, requestProject.pipe(Effect.provideService(Projects, projects)))

    /** The connection, if it is one of the requested project. */
    const mine = Effect.fnUntraced(function* (id: ConnectionId) {
      const project = yield* requested
      const found = yield* orUnavailable(connections.get(id))
      return yield* orNotFound(found?.project === project ? found : undefined, `a connection of project "${project}"`)
    })
    const secretsKept = (id: ConnectionId) =>
      Effect.map(orUnavailable(connections.secretsOf(id)), (kept) => kept ?? noSecrets)
    const changed = Effect.fnUntraced(function* (id: ConnectionId, changes: Parameters<typeof connections.change>[1]) {
      return yield* orNotFound(yield* orUnavailable(connections.change(id, changes)), "a connection")
    })
    const tried = Effect.fnUntraced(function* (
      kind: Connection["kind"],
      config: Connection["config"],
      secrets: Secrets
    ) {
      const now = yield* Clock.currentTimeMillis
      const error = yield* sources[kind].check({ config, secrets, now, limits: { events: 1, allowPrivate } }).pipe(
        Effect.as(undefined),
        Effect.catch((failure) => Effect.succeed(failure))
      )
      const tookMs = (yield* Clock.currentTimeMillis) - now
      return { ok: error === undefined, fault: error?.fault ?? null, message: error?.message ?? null, tookMs }
    })

    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ payload: { config, kind, name, secrets: given } }) {
        const project = yield* requested
        const secrets = secretsOf(given)
        yield* checked(kind, config, secrets)
        return yield* orUnavailable(connections.create({ project, name, kind, config, secrets }))
      }),
      tryOut: Effect.fnUntraced(function* ({ payload: { config, kind, secrets: given } }) {
        yield* requested
        const secrets = secretsOf(given)
        yield* checked(kind, config, secrets)
        return yield* tried(kind, config, secrets)
      }),
      list: () => Effect.flatMap(requested, (project) => orUnavailable(connections.list(project))),
      get: ({ params }) => mine(params.id),
      change: Effect.fnUntraced(function* ({ params, payload: { config, name, secrets: given } }) {
        const before = yield* mine(params.id)
        const secrets = given === undefined ? undefined : secretsOf(given)
        const after = config ?? before.config
        if (config !== undefined || secrets !== undefined) {
          yield* checked(before.kind, after, secrets ?? (yield* secretsKept(params.id)))
        }
        const { identity } = sources[before.kind]
        const restart = config !== undefined && identity(config) !== identity(before.config)
        return yield* changed(params.id, { name, config, secrets, restart })
      }),
      test: Effect.fnUntraced(function* ({ params }) {
        const { config, kind } = yield* mine(params.id)
        return yield* tried(kind, config, yield* secretsKept(params.id))
      }),
      pause: ({ params }) => Effect.andThen(mine(params.id), changed(params.id, { active: false })),
      resume: ({ params }) => Effect.andThen(mine(params.id), changed(params.id, { active: true })),
      remove: Effect.fnUntraced(function* ({ params }) {
        yield* mine(params.id)
        yield* orUnavailable(connections.remove(params.id))
      })
    })
  })
)
