/**
 * What commands stand on: the settings, the file that the server on this host left for us, and the engine's client side.
 * Commands that speak to Redis connect on their own; commands about logs go through the HTTP API like everybody else.
 */
import { Data, Effect, Layer, Option, Schema } from "effect"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import * as Settings from "../Settings.ts"
import { Inspect } from "../streams/Inspect.ts"
import { LogStream } from "../streams/LogStream.ts"
import { Redis } from "../streams/Redis.ts"
import { StreamsLive } from "../streams/Streams.ts"

/** Said to the person at the terminal; the command ends with exit code 1. */
export class CliFailure extends Data.TaggedError("CliFailure")<{ readonly message: string }> {}

export const settings = Effect.suspend(() => {
  const read = Settings.read(process.env)
  return read.ok ? Effect.succeed(read.settings) : Effect.fail(new CliFailure({ message: read.faults.join("\n") }))
})

const Server = Schema.Struct({ url: Schema.String, key: Schema.String })
const decodeServer = Schema.decodeUnknownOption(Schema.fromJsonString(Server))

/** Where the HTTP API is and with which key: flags, then the environment, then what the server on this host left. */
export const server = (flags: { readonly url: Option.Option<string>; readonly key: Option.Option<string> }) =>
  Effect.gen(function* () {
    const { dataDir } = yield* settings
    const file = yield* Effect.promise(() => readFile(join(dataDir, "cli.json"), "utf8").catch(() => ""))
    const saved = Option.getOrUndefined(decodeServer(file))
    const url = Option.getOrUndefined(flags.url) ?? process.env["LOGLYTICS_URL"] ?? saved?.url
    const key = Option.getOrUndefined(flags.key) ?? process.env["LOGLYTICS_API_KEY"] ?? saved?.key
    if (url === undefined || URL.parse(url) === null) {
      return yield* new CliFailure({
        message: `expected the URL of a Loglytics server (--url or LOGLYTICS_URL), got ${url ?? "none"}: is it running? npm start`
      })
    }
    if (key === undefined) {
      return yield* new CliFailure({ message: "expected an API key (--key or LOGLYTICS_API_KEY), got none" })
    }
    return { url: url.replace(/\/+$/u, ""), key }
  })

/** Runs an effect with the engine's client side, connected to the Redis of the settings. */
export const withEngine = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const s = yield* settings
    const redis = Redis.layer({ url: s.redisUrl, namespace: s.namespace })
    return yield* effect.pipe(
      Effect.provide(
        StreamsLive().pipe(
          Layer.provideMerge(
            LogStream.layer({
              partitions: s.logPartitions,
              batchesMax: 1,
              bytesMax: 1,
              rememberMs: 1,
              leaseMs: 1
            })
          ),
          Layer.provideMerge(redis)
        )
      )
    )
  })

/** Runs an effect that only looks, at jobs, queues, workers: it makes nothing in Redis and needs no right to write there. */
export const withLook = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const s = yield* settings
    const redis = Redis.layer({ url: s.redisUrl, namespace: s.namespace })
    return yield* Effect.provide(effect, Inspect.layer.pipe(Layer.provideMerge(redis)))
  })

/** Prints a table with a head, columns padded; or one JSON value with `--json`. */
export const print = (rows: ReadonlyArray<Readonly<Record<string, unknown>>>, json: boolean, none = "none"): void => {
  if (json) return void process.stdout.write(`${JSON.stringify(rows)}\n`)
  const first = rows[0]
  if (first === undefined) return void process.stdout.write(`${none}\n`)
  const heads = Object.keys(first)
  const cells = rows.map((row) => heads.map((head) => text(row[head])))
  const widths = heads.map((head, i) => Math.max(head.length, ...cells.map((row) => row[i]?.length ?? 0)))
  for (const row of [heads, ...cells]) {
    process.stdout.write(
      `${row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd()}\n`
    )
  }
}

const text = (value: unknown): string => {
  if (value === null || value === undefined) return "-"
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}

export const line = (value: string): void => void process.stdout.write(`${value}\n`)
export const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())
