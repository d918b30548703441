/**
 * The bytes of uploaded files, on disk under the data folder. Promises that a file appears whole or not at all and that an
 * id can't lead out of its folder. What the files mean stands in LogFiles.
 */
import { Context, Data, Effect, Layer } from "effect"
import { createReadStream, createWriteStream } from "node:fs"
import { mkdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import type { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import type { LogFileId } from "../domain/Ids.ts"

/** The disk refused. */
export class BlobError extends Data.TaggedError("BlobError")<{ readonly op: string; readonly cause: unknown }> {
  override get message(): string {
    return `file ${this.op} failed: ${this.cause instanceof Error ? this.cause.message : String(this.cause)}`
  }
}

/** The file was longer than it may be; nothing of it is kept. */
export class BlobTooLarge extends Data.TaggedError("BlobTooLarge")<{ readonly limit: number }> {
  override get message(): string {
    return `expected a file of at most ${this.limit} bytes, got more`
  }
}

export class Blobs extends Context.Service<
  Blobs,
  {
    /** Keeps a stream of bytes under an id; returns how many there were. */
    readonly write: (
      id: LogFileId,
      body: AsyncIterable<Uint8Array>,
      limit: number
    ) => Effect.Effect<number, BlobError | BlobTooLarge>
    /** The bytes of an id as a stream of chunks; errors surface while reading (ENOENT where there is none). */
    readonly read: (id: LogFileId) => Readable
    readonly remove: (id: LogFileId) => Effect.Effect<void, BlobError>
  }
>()("loglytics/store/Blobs") {
  /** `folder` is made on first use. */
  static readonly layer = (folder: string) => Layer.succeed(Blobs, make(folder))
}

const make = (folder: string): Blobs["Service"] => {
  const path = (id: LogFileId) => join(folder, id)
  const attempt = <A>(op: string, run: () => Promise<A>) =>
    Effect.tryPromise({
      try: run,
      catch: (cause) => (cause instanceof BlobTooLarge ? cause : new BlobError({ op, cause }))
    })
  return {
    write: (id, body, limit) =>
      attempt("write", async () => {
        await mkdir(folder, { recursive: true })
        const part = `${path(id)}.part`
        let bytes = 0
        try {
          await pipeline(
            async function* () {
              for await (const chunk of body) {
                bytes += chunk.length
                if (bytes > limit) throw new BlobTooLarge({ limit })
                yield chunk
              }
            },
            createWriteStream(part, { mode: 0o600 })
          )
          await rename(part, path(id))
        } catch (error) {
          await rm(part, { force: true })
          throw error
        }
        return bytes
      }),
    read: (id) => createReadStream(path(id)),
    remove: (id) =>
      Effect.catchTag(
        attempt("remove", () => rm(path(id), { force: true })),
        "BlobTooLarge",
        Effect.die
      )
  }
}
