/** `loglytics project …`: makes and lists projects, prints or changes their settings; by way of the HTTP API. */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ask } from "../api.ts"
import { line, print } from "../context.ts"
import * as flags from "../flags.ts"

const connection = { url: flags.url, key: flags.key }
const json = (value: unknown) => ({ type: "application/json", text: JSON.stringify(value) })

interface Project {
  readonly id: string
  readonly name: string
  readonly createdAt: string
}

const create = Command.make(
  "create",
  {
    name: Argument.String("name").pipe(Argument.withDescription("for people, for example Shop")),
    id: Flag.String("id").pipe(Flag.optional, Flag.withDescription("default: made from the name")),
    json: flags.json,
    ...connection
  },
  Effect.fnUntraced(function* ({ id, json: asJson, name, ...given }) {
    const wanted = { name, ...(Option.isSome(id) ? { id: id.value } : {}) }
    const made = (yield* ask("POST", "/v1/projects", given, json(wanted))) as {
      readonly project: Project
      readonly apiKey: { readonly secret: string }
    }
    if (asJson) return line(JSON.stringify(made))
    line(`${made.project.id} made; its key, which is told only here:`)
    line(made.apiKey.secret)
  })
).pipe(Command.withDescription("Make a project and print its first key, once (admin keys only)"))

const list = Command.make("list", { json: flags.json, ...connection }, ({ json: asJson, ...given }) =>
  Effect.map(ask("GET", "/v1/projects", given), (found) =>
    print(
      (found as ReadonlyArray<Project>).map(({ createdAt, id, name }) => ({ project: id, name, created: createdAt })),
      asJson
    )
  )
).pipe(Command.withDescription("List the projects that the key may see"))

const settings = Command.make(
  "settings",
  {
    id: Argument.String("project").pipe(Argument.withDescription("id of the project")),
    set: Flag.String("set").pipe(
      Flag.optional,
      Flag.withDescription(`a change as JSON, for example '{"retentionDays":90}'; admin keys only`)
    ),
    ...connection
  },
  Effect.fnUntraced(function* ({ id, set, ...given }) {
    const path = `/v1/projects/${encodeURIComponent(id)}/settings`
    const found = Option.isSome(set)
      ? yield* ask("PATCH", path, given, { type: "application/json", text: set.value })
      : yield* ask("GET", path, given)
    line(JSON.stringify(found, null, 2))
  })
).pipe(Command.withDescription("Print a project's settings: retention, redaction, formats; --set changes them"))

export const project = Command.make("project").pipe(
  Command.withDescription("Projects and their settings"),
  Command.withSubcommands([create, list, settings])
)
