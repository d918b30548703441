/**
 * The keys that credentials are sealed with: those of LOGLYTICS_SECRET_KEY, else one that is made at the first start and kept
 * in `secret.key` of the data folder, readable by its owner only. Processes that start at the same moment agree on one.
 */
import { Effect, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { link, mkdir, readFile, unlink, writeFile } from "node:fs/promises"
import { join } from "node:path"

const read = async (file: string): Promise<string | undefined> => {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return ""
    throw error
  })
  return text.trim() === "" ? undefined : text.trim()
}

const keep = async (dataDir: string): Promise<string> => {
  const file = join(dataDir, "secret.key")
  const kept = await read(file)
  if (kept !== undefined) return kept
  await mkdir(dataDir, { recursive: true })
  const part = `${file}.${process.pid}.${randomBytes(6).toString("hex")}`
  await writeFile(part, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 })
  // Of many that make one at once, the first wins: a link fails where the file is there already.
  await link(part, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error
  })
  await unlink(part)
  return (await read(file)) ?? ""
}

export const secretKeys = (
  dataDir: string,
  configured: ReadonlyArray<Redacted.Redacted> | undefined
): Effect.Effect<ReadonlyArray<Redacted.Redacted>> =>
  configured === undefined
    ? Effect.map(
        Effect.promise(() => keep(dataDir)),
        (key) => [Redacted.make(key)]
      )
    : Effect.succeed(configured)
