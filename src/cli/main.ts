/**
 * The command line. `start`, `serve`, `work` and `beat` are the launcher's (they need servers first); everything else is
 * here. Failures are told in a line on standard error and end with exit code 1.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Logger } from "effect"
import { CliError, Command, Flag } from "effect/cli"
import { channels } from "./commands/channels.ts"
import { dead } from "./commands/dead.ts"
import { control } from "./commands/control.ts"
import { inspect, status } from "./commands/inspect.ts"
import { enqueue, purge, result, revoke } from "./commands/jobs.ts"
import { env, keys } from "./commands/keys.ts"
import { project } from "./commands/project.ts"
import { rules } from "./commands/rules.ts"
import { schedule } from "./commands/schedule.ts"
import { send } from "./commands/send.ts"
import { tail } from "./commands/tail.ts"

/** Shown in the help; the launcher runs these, since they need servers first. */
const launcher = (name: string, description: string) =>
  Command.make(
    name,
    {
      port: Flag.Int("port").pipe(Flag.optional, Flag.withDescription("instead of PORT")),
      host: Flag.String("host").pipe(Flag.optional, Flag.withDescription("instead of HOST")),
      tail: Flag.String("tail").pipe(
        Flag.atLeast(0),
        Flag.withDescription("follow files of this host, for example '/var/log/*.log'; may be repeated")
      )
    },
    () => Effect.die(new Error(`${name} is run by the launcher: npx loglytics ${name}`))
  ).pipe(Command.withDescription(description))

const root = Command.make("loglytics").pipe(
  Command.withDescription("Logs, alerts and background jobs on Redis Streams and Postgres"),
  Command.withSubcommands([
    launcher("start", "Run everything in one process; finds or starts Redis and Postgres"),
    launcher("serve", "Run the HTTP API, the dashboard and the WebSocket"),
    launcher("work", "Run workers and the log pipeline"),
    launcher("beat", "Run the schedules"),
    status,
    send,
    tail,
    enqueue,
    result,
    inspect,
    control,
    purge,
    revoke,
    dead,
    schedule,
    project,
    rules,
    channels,
    keys,
    env
  ])
)

/** Errors of usage have been printed with their help; the others are told here. */
const tell = (cause: Cause.Cause<unknown>): void => {
  if (Cause.hasInterruptsOnly(cause)) return
  const error = Cause.squash(cause)
  if (CliError.isCliError(error)) return
  process.stderr.write(`loglytics: ${error instanceof Error ? error.message : String(error)}\n`)
}

const program = root.pipe(
  Command.run({ version: "0.1.0" }),
  Effect.tapCause((cause) => Effect.sync(() => tell(cause))),
  Effect.provide([NodeServices.layer, Logger.layer([])])
)

// A reader that has had enough (`| head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error
  process.exit()
})

NodeRuntime.runMain(program, { disableErrorReporting: true })
