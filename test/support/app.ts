/** The real application in a process of its own, with a key prefix, a schema, a port and a data folder of its own. */
import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import postgres from "postgres"
import { removeKeys } from "./clean.ts"

const root = resolve(import.meta.dirname, "../..")

export interface Room {
  readonly namespace: string
  readonly schema: string
  readonly dataDir: string
  readonly key: string
  /** Empties the room: keys, schema, folder. */
  readonly clear: () => Promise<void>
}

export interface App {
  readonly room: Room
  readonly process: ChildProcess
  readonly url: string
  readonly key: string
  /** What it has printed so far. */
  readonly output: () => string
  /** Ends it (SIGTERM: with its drain) and resolves with the exit code, null after a signal. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>
}

const env = (name: string): string => {
  const value = process.env[name]
  if (value === undefined || value === "") throw new Error(`expected ${name} in the environment, got nothing`)
  return value
}

/** Names that nobody else uses; several apps may share them. */
export const makeRoom = async (): Promise<Room> => {
  const tag = randomBytes(6).toString("hex")
  const namespace = `t${tag}`
  const schema = `test_${tag}`
  const dataDir = await mkdtemp(join(tmpdir(), "loglytics-test-"))
  const clear = async (): Promise<void> => {
    await removeKeys(env("REDIS_URL"), `${namespace}:*`)
    const sql = postgres(env("DATABASE_URL"), { max: 1, onnotice: () => {} })
    await sql`drop schema if exists ${sql(schema)} cascade`
    await sql.end()
    await rm(dataDir, { recursive: true, force: true })
  }
  return { namespace, schema, dataDir, key: `lg_test_${randomBytes(12).toString("hex")}`, clear }
}

/** Starts `src/main.ts` and resolves when it says that it is ready. */
export const startApp = (
  room: Room,
  options: {
    readonly roles?: string
    readonly args?: ReadonlyArray<string>
    readonly env?: Record<string, string>
  } = {}
): Promise<App> =>
  new Promise((done, failed) => {
    const child = spawn(
      process.execPath,
      [
        join(root, "src/main.ts"),
        "--port",
        "0",
        "--roles",
        options.roles ?? "serve,work,beat",
        ...(options.args ?? [])
      ],
      {
        cwd: root,
        env: {
          ...process.env,
          NODE_OPTIONS: "",
          LOGLYTICS_NAMESPACE: room.namespace,
          LOGLYTICS_DATABASE_SCHEMA: room.schema,
          LOGLYTICS_DATA_DIR: room.dataDir,
          LOGLYTICS_API_KEY: room.key,
          ...options.env
        },
        stdio: ["ignore", "pipe", "pipe"]
      }
    )
    let text = ""
    const exited = new Promise<number | null>((end) => child.on("exit", (code) => end(code)))
    const app = (url: string): App => ({
      room,
      process: child,
      url,
      key: room.key,
      output: () => text,
      stop: (signal = "SIGTERM") => {
        child.kill(signal)
        return exited
      }
    })
    const hear = (chunk: Buffer): void => {
      text += String(chunk)
      if (!/ is ready$/mu.test(text)) return
      const url = /Dashboard +(http\S+?)\/?$/mu.exec(text)?.[1]
      if (url !== undefined || !(options.roles ?? "serve").includes("serve")) done(app(url ?? ""))
    }
    child.stdout.on("data", hear)
    child.stderr.on("data", hear)
    void exited.then((code) => failed(new Error(`the app ended with ${code} before it was ready:\n${text}`)))
  })

export interface Answer<A> {
  readonly status: number
  readonly headers: Headers
  readonly body: A
}

/** One request with the app's key. A string or Buffer is sent as it is, anything else as JSON. */
export const ask = async <A = never>(
  app: Pick<App, "url" | "key">,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {}
): Promise<Answer<A>> => {
  const raw = typeof body === "string" || body instanceof Uint8Array
  const response = await fetch(app.url + path, {
    method,
    headers: {
      authorization: `Bearer ${app.key}`,
      ...(body === undefined || raw ? {} : { "content-type": "application/json" }),
      ...headers
    },
    ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) })
  })
  const text = await response.text()
  const json = (response.headers.get("content-type") ?? "").includes("json") && text !== ""
  return { status: response.status, headers: response.headers, body: (json ? JSON.parse(text) : text) as A }
}
