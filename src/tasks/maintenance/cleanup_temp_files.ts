/** Removes what uploads and packings that broke off have left on disk, once nobody has written to it for a while. */
import { Clock, Effect, Schema } from "effect"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { Blobs } from "../../store/Blobs.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"

/** A slow upload writes more often than this. */
const idleHours = 24
const hourMs = 3_600_000

export const CleanupTempFiles = Task.make("cleanup_temp_files", {
  payload: {
    /** How long nobody may have written to it; 24 where it is left out. */
    olderThanHours: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 8_760 })))
  },
  result: Schema.Struct({ files: Schema.Natural, bytes: Schema.Natural }),
  error: DependencyFailed,
  queue: "low-priority",
  timeout: "10 minutes",
  retry: Retry.exponential({ attempts: 3, base: "1 minute", cap: "10 minutes" }),
  unique: () => "all"
})

export const CleanupTempFilesLive = CleanupTempFiles.toLayer(
  Effect.gen(function* () {
    const blobs = yield* Blobs
    return Effect.fn("CleanupTempFiles")(function* ({ olderThanHours }) {
      const before = (yield* Clock.currentTimeMillis) - (olderThanHours ?? idleHours) * hourMs
      return yield* blobs.sweep(before).pipe(Effect.mapError(dependencyFailed))
    })
  })
)
