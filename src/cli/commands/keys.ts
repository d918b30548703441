/** `loglytics keys …` and `loglytics env`: upkeep that needs the database or nothing at all. */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { ProjectId } from "../../domain/Ids.ts"
import * as Settings from "../../Settings.ts"
import { ApiKeys } from "../../store/ApiKeys.ts"
import type { ApiKeyId } from "../../domain/Ids.ts"
import * as Store from "../../store/Store.ts"
import { CliFailure, line, print, settings } from "../context.ts"
import * as flags from "../flags.ts"

const withKeys = <A, E, R>(f: (keys: ApiKeys["Service"]) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const s = yield* settings
    return yield* Effect.flatMap(ApiKeys, f).pipe(
      Effect.provide(Store.layer({ url: s.databaseUrl, schema: s.databaseSchema, maxConnections: 2 }))
    )
  })

const create = Command.make(
  "create",
  {
    project: Flag.String("project").pipe(
      Flag.optional,
      Flag.withDescription("a key for this project; else an admin key")
    ),
    name: Flag.String("name").pipe(Flag.withDefault("made on the command line"))
  },
  ({ name, project }) =>
    withKeys((keys) =>
      Effect.map(
        keys.create({
          name,
          role: Option.isSome(project) ? "project" : "admin",
          project: Option.isSome(project) ? (project.value as ProjectId) : null
        }),
        ({ secret }) => line(secret)
      )
    )
).pipe(Command.withDescription("Make an API key and print it, once"))

const list = Command.make("list", { json: flags.json }, ({ json }) =>
  withKeys((keys) =>
    Effect.map(keys.list(), (rows) =>
      print(
        rows.map(({ createdAt, expiresAt, id, name, prefix, project, role }) => ({
          id,
          name,
          role,
          project,
          begins: prefix,
          created: createdAt,
          expires: expiresAt
        })),
        json
      )
    )
  )
).pipe(Command.withDescription("List API keys; secrets are not kept"))

const withdraw = Command.make("revoke", { id: Argument.String("id") }, ({ id }) =>
  withKeys((keys) =>
    Effect.flatMap(keys.revoke(id as ApiKeyId), (there) =>
      there
        ? Effect.sync(() => line(`${id} withdrawn`))
        : Effect.fail(new CliFailure({ message: `no key has the id ${id}` }))
    )
  )
).pipe(Command.withDescription("Withdraw an API key"))

export const keys = Command.make("keys").pipe(
  Command.withDescription("API keys"),
  Command.withSubcommands([create, list, withdraw])
)

export const env = Command.make("env", {}, () => Effect.sync(() => process.stdout.write(Settings.envExample()))).pipe(
  Command.withDescription("Print every setting with its meaning, as .env.example")
)
