/** `loglytics rules …`: a project's rules, how they stand, as a file, and tried on stored lines; by way of the HTTP API. */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { readFile } from "node:fs/promises"
import { text as whole } from "node:stream/consumers"
import { ask, askText, ofProject } from "../api.ts"
import { CliFailure, line, print } from "../context.ts"
import * as flags from "../flags.ts"
import { read, type Fault } from "../../domain/RuleFile.ts"

const file = Argument.String("file").pipe(Argument.withDescription("YAML; - for standard input"))

const textOf = (path: string) =>
  Effect.tryPromise({
    try: () => (path === "-" ? whole(process.stdin) : readFile(path, "utf8")),
    catch: (error) => new CliFailure({ message: `${path}: ${error instanceof Error ? error.message : String(error)}` })
  })

interface Status {
  readonly name: string
  readonly state: string
  readonly firing: number
  readonly groups: number
  readonly evaluatedAt: string | null
  readonly lastError: string | null
}

const list = Command.make("list", { json: flags.json, ...ofProject }, (given) =>
  Effect.map(ask("GET", "/v1/rules/status", given), (found) =>
    print(
      (found as ReadonlyArray<Status>).map(({ evaluatedAt, firing, groups, lastError, name, state }) => ({
        name,
        state,
        firing,
        groups,
        "looked at": evaluatedAt,
        "last error": lastError
      })),
      given.json
    )
  )
).pipe(Command.withDescription("List a project's rules and how they stand"))

const exported = Command.make("export", ofProject, (given) =>
  Effect.map(askText("GET", "/v1/rules/export", given), (text) => line(text.trimEnd()))
).pipe(Command.withDescription("Print a project's rules as YAML"))

interface Imported {
  readonly created: ReadonlyArray<string>
  readonly changed: ReadonlyArray<string>
  readonly unchanged: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
}

const imported = Command.make(
  "import",
  {
    file,
    dryRun: Flag.Boolean("dry-run").pipe(Flag.withDefault(false), Flag.withDescription("say what would be done")),
    prune: Flag.Boolean("prune").pipe(
      Flag.withDefault(false),
      Flag.withDescription("remove rules that the file does not name")
    ),
    ...ofProject
  },
  Effect.fnUntraced(function* ({ dryRun, file: path, prune, ...given }) {
    const body = { type: "application/yaml", text: yield* textOf(path) }
    const done = (yield* ask("POST", `/v1/rules/import?dryRun=${dryRun}&prune=${prune}`, given, body)) as Imported
    for (const name of done.created) line(`+ ${name}`)
    for (const name of done.changed) line(`~ ${name}`)
    for (const name of done.removed) line(`- ${name}`)
    const words = [
      `${done.created.length} made`,
      `${done.changed.length} changed`,
      `${done.removed.length} removed`,
      `${done.unchanged.length} as they were`
    ]
    line(`${words.join(", ")}${dryRun ? "; nothing was done (--dry-run)" : ""}`)
  })
).pipe(Command.withDescription("Make a project's rules those of a file, all of them or none"))

interface Trial {
  readonly summary: string
  readonly lines: number
  readonly complete: boolean
  readonly scannedTo: string
}

const told = (faults: ReadonlyArray<Fault>): string =>
  faults.map(({ message, path }) => (path === "" ? message : `${path}: ${message}`)).join("\n")

const tried = Command.make(
  "try",
  {
    file,
    from: Flag.String("from").pipe(Flag.optional, Flag.withDescription("event time; default: a day ago")),
    to: Flag.String("to").pipe(Flag.optional, Flag.withDescription("event time; default: now")),
    json: flags.json,
    ...ofProject
  },
  Effect.fnUntraced(function* ({ file: path, from, json, to, ...given }) {
    const found = read(yield* textOf(path))
    if (!found.ok) return yield* new CliFailure({ message: told(found.faults) })
    for (const rule of found.rules) {
      const text = JSON.stringify({ rule, from: Option.getOrUndefined(from), to: Option.getOrUndefined(to) })
      const trial = (yield* ask("POST", "/v1/rules/try", given, { type: "application/json", text })) as Trial
      const part = trial.complete ? "" : `, only up to ${trial.scannedTo}`
      line(json ? JSON.stringify(trial) : `${rule.name}: ${trial.summary} (${trial.lines} lines${part})`)
    }
  })
).pipe(Command.withDescription("Try the rules of a file on stored lines; keeps nothing"))

export const rules = Command.make("rules").pipe(
  Command.withDescription("Rules: how they stand, as a file beside your code, tried on stored lines"),
  Command.withSubcommands([list, tried, exported, imported])
)
