/**
 * The decoders of projects. In the pipeline each partition has its own set: a project's is loaded when its first line comes,
 * and replaced where the stream brings new settings, so that they apply to exactly the lines that follow. Promises that no
 * line is decoded without its project's redaction: while Postgres is away, the first line of a project waits.
 */
import { Effect, Option, Schedule, Schema } from "effect"
import { ProjectId } from "../domain/Ids.ts"
import { defaultSettings, KeptSettings, type ProjectSettings as Settings } from "../domain/ProjectSettings.ts"
import * as Decoder from "../parse/Decoder.ts"
import type { StoreError } from "../store/Database.ts"
import { ProjectSettings } from "../store/ProjectSettings.ts"

/** Projects whose decoders are held; then all are loaded anew. */
const heldMax = 10_000

const backoff = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")]).pipe(Schedule.jittered)

const decodeProject = Schema.decodeOption(ProjectId)

/** The decoder of settings as they are kept. What can't be used was refused when they were made, or by an older version. */
const compile = Effect.fnUntraced(function* (project: string, settings: Settings) {
  if (settings === defaultSettings) return Decoder.byDefault
  const { decoder, faults } = Decoder.make(settings)
  for (const { fault, path } of faults) {
    yield* Effect.logError("a setting can't be used and is left out", fault).pipe(
      Effect.annotateLogs({ project, setting: path })
    )
  }
  return decoder
})

/** A project's decoder as it is now, for a task that reads one file. */
export const current = Effect.fnUntraced(function* (project: ProjectId) {
  const store = yield* ProjectSettings
  const { settings } = yield* store.get(project)
  return yield* compile(project, settings)
})

interface Held {
  readonly version: number
  readonly decoder: Decoder.Decoder
}

const decodeKept = Schema.decodeUnknownOption(Schema.fromJsonString(KeptSettings))

/** A set of decoders for one who reads a partition in order. */
export const make = Effect.fnUntraced(function* () {
  const store = yield* ProjectSettings
  const held = new Map<string, Held>()

  const hold = Effect.fnUntraced(function* (project: string, { settings, version }: KeptSettings) {
    const decoder = yield* compile(project, settings)
    if (held.size >= heldMax) held.clear()
    held.set(project, { version, decoder })
    return decoder
  })

  const load = Effect.fnUntraced(function* (project: string) {
    const id = decodeProject(project)
    if (Option.isNone(id)) return yield* hold(project, { version: 0, settings: defaultSettings })
    const kept = yield* store.get(id.value).pipe(
      Effect.tapError((error: StoreError) => Effect.logWarning("settings can't be read now", error.message)),
      Effect.retry(backoff),
      Effect.orDie
    )
    return yield* hold(project, kept)
  })

  return {
    /** Takes over settings that the stream has brought, unless later ones are in force already. */
    changed: Effect.fnUntraced(function* (project: string, text: string) {
      const told = decodeKept(text)
      // What another version of this program wrote is looked up instead.
      if (Option.isNone(told)) yield* load(project)
      else if (told.value.version > (held.get(project)?.version ?? -1)) yield* hold(project, told.value)
    }),
    of: (project: string): Effect.Effect<Decoder.Decoder> =>
      Effect.suspend(() => {
        const known = held.get(project)
        return known === undefined ? load(project) : Effect.succeed(known.decoder)
      })
  }
})

export type Decoders = Effect.Success<ReturnType<typeof make>>
