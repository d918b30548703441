/**
 * Who asks, and for which project. A key is looked up by its hash; a project key speaks for its one project, an
 * admin key for the project that `X-Loglytics-Project` (or `?project=`) names, else `default`.
 */
import { Effect, Layer, Schema } from "effect"
import { HttpServerRequest } from "effect/http"
import { ProjectId } from "../domain/Ids.ts"
import { type ApiKey, defaultProject } from "../domain/Project.ts"
import { ApiKeys } from "../store/ApiKeys.ts"
import { Projects } from "../store/Projects.ts"
import { Auth, Principal } from "./api/auth.ts"
import { Forbidden, NotFound, Unauthorized, Unavailable } from "./Errors.ts"

const how = "send a key as `Authorization: Bearer lg_...`"

const decode = (text: string): string => Buffer.from(text, "base64").toString("utf8")

/**
 * The key that a request carries, in whichever way its sender knows: `Bearer`, the password of `Basic` (or the user without
 * one), Splunk's `Splunk`, Elastic's `ApiKey` (as it is or as base64 of `id:key`), `X-API-Key` or `DD-API-KEY`. "" without.
 */
export const secretOf = (headers: Readonly<Record<string, string | undefined>>): string => {
  const [, scheme = "", given = ""] = /^(\S+) +(\S+) *$/u.exec(headers["authorization"] ?? "") ?? []
  switch (scheme.toLowerCase()) {
    case "bearer":
    case "splunk":
    case "token":
      return given
    case "basic": {
      const [user = "", ...password] = decode(given).split(":")
      return password.join(":") || user
    }
    case "apikey": {
      // Elasticsearch's is base64 of `id:key`. A key that is sent as it is may look like base64, but not of plain text.
      const [, secret] = /^[\x20-\x7e]*?:([\x21-\x7e]+)$/u.exec(decode(given)) ?? []
      return secret ?? given
    }
    default:
      return headers["x-api-key"] ?? headers["dd-api-key"] ?? ""
  }
}

/** Looks a key up. Fails with Unauthorized (no such key) or Unavailable (the store does not answer). */
export const authenticate = Effect.fnUntraced(function* (secret: string) {
  if (secret === "") return yield* new Unauthorized({ message: `expected an API key, got none: ${how}` })
  const keys = yield* ApiKeys
  const key = yield* keys
    .verify(secret)
    .pipe(Effect.mapError((error) => new Unavailable({ message: `keys can't be checked now: ${error.message}` })))
  if (key === undefined) {
    return yield* new Unauthorized({ message: `expected a valid API key, got one that is unknown or expired: ${how}` })
  }
  return key
})

export const AuthLive = Layer.effect(
  Auth,
  Effect.gen(function* () {
    const keys = yield* ApiKeys
    return {
      // Declared as a bearer key; what else senders know is read here, too.
      bearer: (http) =>
        Effect.provideServiceEffect(
          http,
          Principal,
          Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) => authenticate(secretOf(headers))).pipe(
            Effect.provideService(ApiKeys, keys)
          )
        )
    } satisfies Auth["Service"]
  })
)

/** The project a key speaks for when it names `wanted` (undefined: none named). Pure. */
export const resolveProject = (key: ApiKey, wanted: string | undefined): ProjectId | Forbidden => {
  if (key.role === "project" && key.project !== null) {
    return wanted === undefined || wanted === key.project
      ? key.project
      : new Forbidden({ message: `this key is for project "${key.project}", got "${wanted}"` })
  }
  return wanted === undefined ? defaultProject : (wanted as ProjectId)
}

/** The project of this request; fails where it does not exist or is not this key's. */
export const requestProject = Effect.gen(function* () {
  const key = yield* Principal
  const request = yield* HttpServerRequest.HttpServerRequest
  return yield* projectFor(key, wantedProject(request.headers, request.url))
})

/** The project that a request names, by header or query. */
export const wantedProject = (headers: Readonly<Record<string, string | undefined>>, url: string) => {
  const named = headers["x-loglytics-project"] ?? new URL(url, "http://localhost").searchParams.get("project") ?? ""
  return named === "" ? undefined : named
}

const isProjectId = Schema.is(ProjectId)

/** Checks that a key may use a project and that it exists. */
export const projectFor = Effect.fnUntraced(function* (key: ApiKey, wanted: string | undefined) {
  const project = resolveProject(key, wanted)
  if (project instanceof Forbidden) return yield* project
  const projects = yield* Projects
  const known = !isProjectId(project)
    ? undefined
    : yield* projects
        .get(project)
        .pipe(Effect.mapError((error) => new Unavailable({ message: `projects can't be read now: ${error.message}` })))
  if (known === undefined) {
    return yield* new NotFound({
      message: `expected a project that exists, got "${project}": make it with POST /v1/projects`
    })
  }
  return known.id
})

/** Fails unless the key is an admin's. */
export const requireAdmin = Effect.gen(function* () {
  const key = yield* Principal
  if (key.role !== "admin") {
    return yield* new Forbidden({ message: "expected an admin key, got a project key" })
  }
  return key
})
