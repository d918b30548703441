/**
 * The real server in a process of its own, with a namespace and a schema that nobody else uses; both are removed with it.
 * Redis and Postgres come from the environment, as for every test.
 */
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import postgres from "postgres"
import { removeKeys } from "../../support/clean.ts"

const main = fileURLToPath(new URL("../../../src/main.ts", import.meta.url))

export interface Real {
  readonly url: string
  readonly key: string
  readonly send: (lines: ReadonlyArray<string>) => Promise<void>
  readonly post: (path: string, body: unknown) => Promise<unknown>
  readonly stop: () => Promise<void>
}

const setting = (name: string): string => {
  const value = process.env[name]
  if (value === undefined || value === "") throw new Error(`expected ${name} in the environment, got nothing`)
  return value
}

const removeSchema = async (url: string, schema: string): Promise<void> => {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  await sql`drop schema if exists ${sql(schema)} cascade`
  await sql.end()
}

/** Starts it and waits until it says where it is. */
export const startReal = async (): Promise<Real> => {
  const name = `test_web_${randomBytes(6).toString("hex")}`
  const key = `lg_${randomBytes(16).toString("hex")}`
  const data = await mkdtemp(join(tmpdir(), "loglytics-web-"))
  const server = spawn(process.execPath, [main], {
    env: {
      ...process.env,
      NODE_ENV: "test",
      PORT: "0",
      LOGLYTICS_API_KEY: key,
      LOGLYTICS_NAMESPACE: name,
      LOGLYTICS_DATABASE_SCHEMA: name,
      LOGLYTICS_DATA_DIR: data
    },
    stdio: ["ignore", "pipe", "pipe"]
  })
  const said: Array<string> = []
  server.stderr.on("data", (chunk: Buffer) => said.push(String(chunk)))
  const ended = once(server, "exit")
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(server.stdout).on("line", (line) => {
      said.push(line)
      const found = /Dashboard\s+(http\S+?)\/?$/u.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
    void ended.then(() => reject(new Error(`the server ended before it was ready:\n${said.join("\n")}`)))
  })
  const ask = async (path: string, body: string): Promise<Response> => {
    const response = await fetch(url + path, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body
    })
    if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${await response.text()}`)
    return response
  }
  return {
    url,
    key,
    send: async (lines) => {
      await fetch(`${url}/v1/logs`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}` },
        body: lines.join("\n")
      })
    },
    post: async (path, body) => (await ask(path, JSON.stringify(body))).json(),
    stop: async () => {
      server.kill("SIGTERM")
      await ended
      await removeKeys(setting("REDIS_URL"), `${name}:*`)
      await removeSchema(setting("DATABASE_URL"), name)
      await rm(data, { recursive: true, force: true })
    }
  }
}
