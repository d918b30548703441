/**
 * The bytes of uploaded files, on disk under the data folder. Promises that a file appears whole or not at all and that an
 * id can't lead out of its folder; and that a compressed file, by us or by its sender, reads like any other. What the files mean stands in LogFiles.
 */
import { Context, Data, Effect, Layer } from "effect"
import { createHash } from "node:crypto"
import { createReadStream, createWriteStream } from "node:fs"
import { mkdir, open, readdir, rename, rm, stat, statfs } from "node:fs/promises"
import { join } from "node:path"
import { Readable, type Transform } from "node:stream"
import { pipeline } from "node:stream/promises"
import { constants, createGunzip, createZstdCompress, createZstdDecompress } from "node:zlib"
import type { LogFileId } from "../domain/Ids.ts"

/** The disk refused; nothing of what was written is kept. */
export class BlobError extends Data.TaggedError("BlobError")<{ readonly op: string; readonly cause: unknown }> {
  override get message(): string {
    return `file ${this.op} failed: ${this.cause instanceof Error ? this.cause.message : String(this.cause)}`
  }
  /** Whether there is no room on the disk, or for this user. */
  get noSpace(): boolean {
    const code = this.cause instanceof Error && "code" in this.cause ? this.cause.code : undefined
    return code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG"
  }
}

/** The file was longer than it may be; nothing of it is kept. */
export class BlobTooLarge extends Data.TaggedError("BlobTooLarge")<{ readonly limit: number }> {
  override get message(): string {
    return `expected a file of at most ${this.limit} bytes, got more`
  }
}

/** A compressed file did not give its bytes back; the file itself is as it was. */
export class BlobCorrupt extends Data.TaggedError("BlobCorrupt")<{ readonly expected: string; readonly got: string }> {
  override get message(): string {
    return `expected the compressed file to give back ${this.expected}, got ${this.got}`
  }
}

/** Sizes of a compressed file. */
export interface Compressed {
  /** As it is read. */
  readonly bytes: number
  /** As it lies on disk. */
  readonly compressedBytes: number
}

export class Blobs extends Context.Service<
  Blobs,
  {
    /**
     * Keeps a stream of bytes under an id; returns how many there were. The last of the disk is left to others, who may be
     * Redis and Postgres: to run out of it there counts as a disk that is full.
     */
    readonly write: (
      id: LogFileId,
      body: AsyncIterable<Uint8Array>,
      limit: number
    ) => Effect.Effect<number, BlobError | BlobTooLarge>
    /** The bytes of an id as a stream of chunks; errors surface while reading (ENOENT where there is none). */
    readonly read: (id: LogFileId) => Readable
    readonly remove: (id: LogFileId) => Effect.Effect<void, BlobError>
    /**
     * Packs a file with zstd, unpacks that and compares, and only then lets it take the file's place. A file that is
     * packed already is checked again and left. `level` is zstd's, 1 to 19.
     */
    readonly compress: (id: LogFileId, level: number) => Effect.Effect<Compressed, BlobError | BlobCorrupt>
    /** Removes what uploads and packings left unfinished and nobody has written to since `before` (epoch ms). */
    readonly sweep: (before: number) => Effect.Effect<{ readonly files: number; readonly bytes: number }, BlobError>
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
        let lookAt = 0
        try {
          await pipeline(
            async function* () {
              for await (const chunk of body) {
                if (bytes >= lookAt) lookAt = bytes + Math.max(lookMin, (await roomIn(folder)) / 2)
                bytes += chunk.length
                if (bytes > limit) throw new BlobTooLarge({ limit })
                yield chunk
              }
            },
            createWriteStream(part, { mode: 0o600, flush: true })
          )
          await rename(part, path(id))
        } catch (error) {
          await rm(part, { force: true })
          throw error
        }
        return bytes
      }),
    read: (id) => Readable.from(unpacked(bytesOf(path(id))), { objectMode: false }),
    compress: (id, level) =>
      Effect.tryPromise({
        try: () => compress(path(id), level),
        catch: (cause) => (cause instanceof BlobCorrupt ? cause : new BlobError({ op: "compress", cause }))
      }),
    sweep: (before) =>
      Effect.tryPromise({
        try: () => sweep(folder, before),
        catch: (cause) => new BlobError({ op: "sweep", cause })
      }),
    remove: (id) =>
      Effect.catchTag(
        attempt("remove", () =>
          Promise.all([rm(path(id), { force: true }), rm(packed(path(id)), { force: true })]).then(() => {})
        ),
        "BlobTooLarge",
        Effect.die
      )
  }
}

/** Of the disk, what uploads leave free: a twentieth, or so many bytes. */
const reserveMax = 1024 * 1024 * 1024
const reserveShare = 0.05
/** So much may be written between two looks for room at least, bytes. */
const lookMin = 1024 * 1024

/** Bytes that may be written; rejects as a full disk does where there is no more than the reserve. */
const roomIn = async (folder: string): Promise<number> => {
  const { bavail, blocks, bsize } = await statfs(folder)
  const room = bavail * bsize - Math.min(reserveMax, blocks * bsize * reserveShare)
  if (room > 0) return room
  throw Object.assign(new Error(`expected room on the disk of ${folder}, got ${bavail * bsize} bytes`), {
    code: "ENOSPC"
  })
}

const packed = (path: string): string => `${path}.zst`
/** What an unfinished write or packing leaves. */
const unfinished = /\.part$/u

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT"

/** Whichever of a file's two forms there is: the packed one appears whole before the other goes. */
async function* bytesOf(path: string): AsyncGenerator<Buffer> {
  const plain = await open(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (plain !== undefined) return yield* plain.createReadStream() as AsyncIterable<Buffer>
  const file = await open(packed(path)).catch((error: unknown) => {
    // Under the name that was asked for.
    throw isMissing(error) ? Object.assign(new Error(`no such file: ${path}`), { code: "ENOENT" }) : error
  })
  const unpacker = createZstdDecompress()
  const source = file.createReadStream()
  source.on("error", (error) => unpacker.destroy(error))
  try {
    yield* source.pipe(unpacker) as AsyncIterable<Buffer>
  } finally {
    source.destroy()
    unpacker.destroy()
  }
}

/** What the first bytes of gzip and zstd are. */
const unpackerOf = (first: Buffer): Transform | undefined => {
  if (first[0] === 0x1f && first[1] === 0x8b) return createGunzip()
  return first.length > 3 && first.readUInt32LE(0) === 0xfd2fb528 ? createZstdDecompress() : undefined
}

/** A file that was sent packed is kept so, and read through. */
async function* unpacked(source: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const { done, value: first } = await source.next()
  if (done === true) return
  const unpacker = unpackerOf(first)
  if (unpacker === undefined) {
    yield first
    return yield* source
  }
  const whole = async function* (): AsyncGenerator<Buffer> {
    yield first
    yield* source
  }
  const packing = Readable.from(whole(), { objectMode: false })
  packing.on("error", (error) => unpacker.destroy(error))
  try {
    yield* packing.pipe(unpacker) as AsyncIterable<Buffer>
  } finally {
    packing.destroy()
    unpacker.destroy()
  }
}

/** Length and SHA-256 of what passes. */
const digestOf = async (source: Readable, through?: Transform) => {
  const hash = createHash("sha256")
  let bytes = 0
  const take = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) {
      bytes += chunk.length
      hash.update(chunk)
    }
  }
  await (through === undefined ? pipeline(source, take) : pipeline(source, through, take))
  return { bytes, sha256: hash.digest("hex") }
}

const told = ({ bytes, sha256 }: { readonly bytes: number; readonly sha256: string }): string =>
  `${bytes} bytes with SHA-256 ${sha256.slice(0, 16)}…`

const compress = async (path: string, level: number): Promise<Compressed> => {
  const target = packed(path)
  const part = `${target}.part`
  const plain = await stat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (plain === undefined) {
    const { size } = await stat(target)
    const { bytes } = await digestOf(createReadStream(target), createZstdDecompress())
    return { bytes, compressedBytes: size }
  }
  try {
    const packer = createZstdCompress({
      params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 }
    })
    await pipeline(createReadStream(path), packer, createWriteStream(part, { mode: 0o600, flush: true }))
    const expected = await digestOf(createReadStream(path))
    const got = await digestOf(createReadStream(part), createZstdDecompress())
    if (got.sha256 !== expected.sha256 || got.bytes !== expected.bytes) {
      throw new BlobCorrupt({ expected: told(expected), got: told(got) })
    }
    const { size } = await stat(part)
    await rename(part, target)
    await rm(path)
    return { bytes: expected.bytes, compressedBytes: size }
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

const sweep = async (folder: string, before: number): Promise<{ files: number; bytes: number }> => {
  let files = 0
  let bytes = 0
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return []
    throw error
  })
  for (const name of names.filter((one) => unfinished.test(one))) {
    const file = join(folder, name)
    const found = await stat(file).catch(() => undefined)
    if (found === undefined || found.mtimeMs >= before) continue
    await rm(file, { force: true })
    files++
    bytes += found.size
  }
  return { files, bytes }
}
