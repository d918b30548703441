/**
 * The first admin key, and the file that lets the command line on this host speak to the server: `cli.json` in the data
 * folder, readable by its owner only.
 */
import { Effect, Redacted, Schema } from "effect"
import { mkdir, readFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { ApiKeys } from "../store/ApiKeys.ts"

export const CliFile = Schema.Struct({ url: Schema.String, key: Schema.String })
export type CliFile = typeof CliFile.Type

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(CliFile))
const path = (dataDir: string) => join(dataDir, "cli.json")

const readCliFile = (dataDir: string) =>
  Effect.map(
    Effect.promise(() => readFile(path(dataDir), "utf8").catch(() => "")),
    decode
  )

const writeCliFile = (dataDir: string, content: CliFile) =>
  Effect.promise(async () => {
    await mkdir(dataDir, { recursive: true })
    const part = `${path(dataDir)}.${process.pid}`
    await writeFile(part, `${JSON.stringify(content)}\n`, { mode: 0o600 })
    await rename(part, path(dataDir))
  })

export interface FirstKey {
  /** Known only when it was just made, or given by the environment. */
  readonly secret: string | undefined
  readonly made: boolean
  readonly file: string
}

/** Makes sure that there is an admin key, and keeps what the command line needs. */
export const ensureFirstKey = Effect.fnUntraced(function* (
  dataDir: string,
  url: string,
  configured: Redacted.Redacted | undefined
) {
  const keys = yield* ApiKeys
  const file = path(dataDir)
  if (configured !== undefined) {
    const secret = Redacted.value(configured)
    yield* keys.ensureAdmin(secret, "LOGLYTICS_API_KEY")
    yield* writeCliFile(dataDir, { url, key: secret })
    return { secret, made: false, file } satisfies FirstKey
  }
  const saved = yield* readCliFile(dataDir)
  if (saved._tag === "Some" && (yield* keys.verify(saved.value.key)) !== undefined) {
    yield* writeCliFile(dataDir, { url, key: saved.value.key })
    return { secret: undefined, made: false, file } satisfies FirstKey
  }
  const admins = (yield* keys.list()).filter(({ role }) => role === "admin")
  if (admins.length > 0) return { secret: undefined, made: false, file } satisfies FirstKey
  const { secret } = yield* keys.create({ name: "first admin key", role: "admin", project: null })
  yield* writeCliFile(dataDir, { url, key: secret })
  return { secret, made: true, file } satisfies FirstKey
})
