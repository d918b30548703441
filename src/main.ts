/**
 * Where everything meets: reads the settings, picks the roles, builds the layers in order and takes them down in reverse:
 * the doors first, then the beat, then workers and pipeline (which drain), then the connections. No other file sees both
 * the engine and the application whole.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Effect, Exit, Layer, Logger, References, type Runtime, Schedule } from "effect"
import { FetchHttpClient } from "effect/http"
import { Otlp, OtlpSerialization } from "effect/observability"
import { hostname } from "node:os"
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import * as Workers from "./actors/Supervisor.ts"
import { defaultProject } from "./domain/Project.ts"
import { CannotListen, Server } from "./http/Server.ts"
import { AllowPrivate } from "./ingest/Source.ts"
import { follow } from "./ingest/sources/file_tail.ts"
import { ListenError } from "./ingest/sources/Listening.ts"
import { Gateway } from "./live/Gateway.ts"
import { jobLog } from "./main/JobLog.ts"
import { InboxLive } from "./main/Inbox.ts"
import { ensureFirstKey, type FirstKey } from "./main/Keys.ts"
import { startListeners } from "./main/Listeners.ts"
import { LiveBusLive } from "./main/LiveBus.ts"
import { ProbesLive } from "./main/Probes.ts"
import { SubscribersLive } from "./main/Subscribers.ts"
import { secretKeys } from "./main/SecretKey.ts"
import { Defaults as NotifyDefaults, PublicUrl } from "./notify/Channel.ts"
import { AllowPrivate as AllowPrivateCalls } from "./notify/Http.ts"
import { Intake } from "./pipeline/Intake.ts"
import { LogActors } from "./pipeline/LogActor.ts"
import { TemplateBook } from "./pipeline/TemplateBook.ts"
import * as OwnLogs from "./pipeline/OwnLogs.ts"
import * as Beat from "./schedules/Beat.ts"
import { Schedules } from "./schedules/Schedules.ts"
import { table } from "./schedules/table.ts"
import * as Settings from "./Settings.ts"
import { Blobs } from "./store/Blobs.ts"
import * as Store from "./store/Store.ts"
import { Live } from "./streams/Live.ts"
import { LogStream } from "./streams/LogStream.ts"
import { Redis } from "./streams/Redis.ts"
import { StreamsLive } from "./streams/Streams.ts"
import { AlertSinkLive } from "./tasks/AlertSink.ts"
import { tasks, TasksLive } from "./tasks/all.ts"
import { Writer } from "./tasks/analytics/Writer.ts"
import { Embedder } from "./tasks/logs/Embedder.ts"
import { SemanticSearch } from "./tasks/logs/SemanticSearch.ts"

const roles = ["serve", "work", "beat"] as const
type Role = (typeof roles)[number]

const megabyte = 1_024 * 1_024
const leaseMs = 5_000

/** What the command line of this file says. */
const readArguments = (argv: ReadonlyArray<string>) => {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      roles: { type: "string", default: roles.join(",") },
      port: { type: "string" },
      host: { type: "string" },
      tail: { type: "string", multiple: true, default: [] }
    },
    allowPositionals: false
  })
  const named = values.roles.split(",")
  const wrong = named.find((role) => !roles.includes(role as Role))
  if (wrong !== undefined) throw new Error(`--roles: expected ${roles.join(", ")}, got ${JSON.stringify(wrong)}`)
  return { ...values, roles: named as ReadonlyArray<Role> }
}

type Arguments = ReturnType<typeof readArguments>

/** Vectors come from a provider where one is set. */
const embedder = (s: Settings.Settings) =>
  Embedder.layer(
    s.embeddingsUrl === undefined
      ? undefined
      : { url: s.embeddingsUrl, model: s.embeddingsModel, apiKey: s.embeddingsApiKey }
  )

/** Insights are worded by a language model where one is set. */
const writer = (s: Settings.Settings) =>
  Writer.layer(
    s.llmUrl === undefined ? undefined : { url: s.llmUrl, model: s.llmModel, apiKey: s.llmApiKey },
    s.llmPerDay
  )

/** What every role stands on. */
const foundation = (s: Settings.Settings) =>
  Layer.mergeAll(
    AlertSinkLive,
    LiveBusLive,
    InboxLive,
    SubscribersLive,
    ProbesLive(s.dataDir),
    Intake.layer,
    TemplateBook.layer
  ).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        StreamsLive(),
        Live.layer,
        LogStream.layer({
          partitions: s.logPartitions,
          batchesMax: 100_000,
          bytesMax: s.logBacklogMb * megabyte,
          rememberMs: 24 * 3_600_000,
          leaseMs
        }),
        Layer.unwrap(
          Effect.map(secretKeys(s.dataDir, s.secretKey), (keys) =>
            Store.layer({ url: s.databaseUrl, schema: s.databaseSchema, secretKeys: keys })
          )
        ),
        Layer.succeed(AllowPrivate, s.allowPrivateUrls),
        Layer.succeed(AllowPrivateCalls, s.allowPrivateUrls),
        Layer.succeed(NotifyDefaults, s),
        Layer.succeed(PublicUrl, s.publicUrl),
        Blobs.layer(resolve(s.dataDir, "files")),
        embedder(s),
        writer(s)
      )
    ),
    Layer.provideMerge(Redis.layer({ url: s.redisUrl, namespace: s.namespace }))
  )

const work = (s: Settings.Settings) =>
  Layer.mergeAll(
    LogActors.layer(`${hostname()}-${process.pid}`, { batchesPerTurn: 16, turnsAhead: 12, idleMs: 1_000, leaseMs }),
    Workers.layer({ concurrency: s.concurrency, maxMemoryMb: s.maxMemoryMb })
  ).pipe(Layer.provideMerge(TasksLive))

const serve = (s: Settings.Settings) =>
  Server.layer({
    host: s.host,
    port: s.port,
    bodyMax: s.bodyMaxMb * megabyte,
    uploadMax: s.uploadMaxMb * megabyte,
    webRoot: resolve(import.meta.dirname, "../web/dist")
  }).pipe(Layer.provide([Gateway.layer, Schedules.layer(table, tasks), SemanticSearch.layer]))

/** Follows files of this host into the default project. */
const tail = (s: Settings.Settings, globs: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const intake = yield* Intake
    yield* Effect.logInfo(`follows ${globs.join(", ")}`)
    return yield* follow(
      { patterns: globs, from: "start", positionsFile: resolve(s.dataDir, "tail.json") },
      ({ key, lines, path }) =>
        intake
          .submitEvents(
            defaultProject,
            lines.map((line) => ({ line, attributes: { "log.file.path": path } })),
            key
          )
          .pipe(Effect.retry(Schedule.spaced("1 second")))
    )
  })

/** Runs beside everything else; a fiber that fails in silence would be missed by nobody, so it is told and begun again. */
const background = <E, R>(name: string, effect: Effect.Effect<unknown, E, R>) =>
  effect.pipe(
    Effect.tapCause((cause) =>
      Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logWarning(`${name} begins anew`, cause)
    ),
    Effect.sandbox,
    Effect.retry(Schedule.spaced("2 seconds")),
    Effect.forkScoped
  )

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const welcome = (url: string, first: FirstKey): void => {
  const key = first.secret ?? "YOUR_KEY"
  say("")
  say("  Loglytics is ready")
  say(`  Dashboard  ${url}/`)
  if (first.made) {
    say(`  API key    ${key}`)
    say(`             shown once; the command line on this host reads it from ${first.file}`)
    say(`  Sign in    ${url}/#key=${key}`)
  } else if (first.secret !== undefined) say("  API key    the one in LOGLYTICS_API_KEY")
  else
    say(`  API key    made at an earlier start (kept in ${first.file}); make another with: npx loglytics keys create`)
  say(
    `  Send logs  curl -H 'Authorization: Bearer ${first.made ? key : "YOUR_KEY"}' --data-binary @FILE ${url}/v1/logs`
  )
  say("             npx loglytics send FILE")
  say("  Stop       Ctrl-C")
  say("")
}

const program = (s: Settings.Settings, args: Arguments, own: OwnLogs.OwnLogs) =>
  Effect.gen(function* () {
    const base = yield* Layer.build(foundation(s))
    return yield* Effect.gen(function* () {
      yield* background("own logs", own.ship)
      yield* background("job log", jobLog)
      // A worker that is told to shut down, or has grown beyond its memory limit, ends its process: whoever runs it starts
      // the next one.
      let shutdown: Effect.Effect<number> = Effect.never
      if (args.roles.includes("work")) shutdown = Effect.provideContext(workEnds, yield* Layer.build(work(s)))
      if (args.roles.includes("beat")) yield* Layer.build(Beat.layer(table, { tasks }))
      if (args.roles.includes("serve")) {
        const context = yield* Layer.build(serve(s))
        const { port } = yield* Server.pipe(Effect.provideContext(context))
        const url = `http://${s.host === "0.0.0.0" ? "127.0.0.1" : s.host}:${port}`
        yield* startListeners(s)
        welcome(url, yield* ensureFirstKey(s.dataDir, url, s.apiKey))
      } else say(`  Loglytics ${args.roles.join(" and ")} is ready`)
      if (args.tail.length > 0) yield* background("tail", tail(s, args.tail))
      yield* Effect.logInfo("started").pipe(Effect.annotateLogs({ roles: args.roles.join(","), pid: process.pid }))
      const code = yield* shutdown
      yield* Effect.logInfo("ends its work").pipe(Effect.annotateLogs({ pid: process.pid, code }))
      return code
    }).pipe(Effect.provideContext(base))
  }).pipe(Effect.scoped)

/** The exit code with which a worker wants its process ended, once it does. */
const workEnds = Effect.raceFirst(
  Effect.as(Workers.stopped, 0),
  Effect.as(Workers.retired, Workers.replaceExitCode as number)
)

const teardown: Runtime.Teardown = (exit, onExit) =>
  onExit(
    Exit.isSuccess(exit)
      ? exit.value === Workers.replaceExitCode
        ? Workers.replaceExitCode
        : 0
      : Cause.hasInterruptsOnly(exit.cause)
        ? 0
        : 1
  )

const start = (): void => {
  let args: Arguments
  try {
    args = readArguments(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`loglytics: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 2
    return
  }
  const env = {
    ...process.env,
    ...(args.port === undefined ? {} : { PORT: args.port }),
    ...(args.host === undefined ? {} : { HOST: args.host })
  }
  const settings = Settings.read(env)
  if (!settings.ok) {
    for (const fault of settings.faults) process.stderr.write(`loglytics: ${fault}\n`)
    process.exitCode = 2
    return
  }
  const own = OwnLogs.make()
  const console = process.stdout.isTTY ? Logger.consolePretty() : Logger.consoleLogFmt
  const loggers = Layer.mergeAll(Logger.layer([console, own.logger]), Layer.succeed(References.MinimumLogLevel, "Info"))
  // Traces, metrics and logs over OTLP where OTEL_EXPORTER_OTLP_ENDPOINT is set; nothing at all where it is not.
  const telemetry = Otlp.layerFromConfig({ resource: { serviceName: "loglytics" } }).pipe(
    Layer.provide([FetchHttpClient.layer, OtlpSerialization.layerJson]),
    Layer.provideMerge(loggers)
  )
  const tell = (cause: Cause.Cause<unknown>) => {
    const error = Cause.squash(cause)
    if (Cause.hasInterruptsOnly(cause)) return Effect.void
    return error instanceof CannotListen || error instanceof ListenError
      ? Effect.sync(() => process.stderr.write(`loglytics: ${error.message}\n`))
      : Effect.logError("ended by a failure", cause)
  }
  NodeRuntime.runMain(program(settings.settings, args, own).pipe(Effect.tapCause(tell), Effect.provide(telemetry)), {
    teardown,
    disableErrorReporting: true
  })
}

start()
