/**
 * Where a chaos run of lines happens: a Redis and a Postgres of its own, a door and two pipelines in processes of their own,
 * and wires between them that can be harmed. Promises that all of it is gone when the scope is left, whatever was done to it.
 */
import { Redis as IORedis } from "ioredis"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import postgres from "postgres"
import { forgetPostgres, postmaster, startPostgres, stopPostgres } from "../../scripts/launch/postgres.mjs"
import { lifeOf, waitGone } from "../../scripts/launch/processes.mjs"
import { trueName } from "../../scripts/launch/places.mjs"
import { makeServer, type Server } from "../chaos/Server.ts"
import { type App, type Room, startApp } from "../support/app.ts"
import { makeWire, type Wire } from "../support/proxy.ts"
import { quietPort } from "../support/quiet_port.ts"

export interface Member {
  readonly name: string
  readonly redis: Wire
  readonly postgres: Wire
  /** Starts it, trying again while what it needs is away; does nothing while it runs. */
  readonly start: () => Promise<void>
  /** kill -9. */
  readonly kill: () => Promise<void>
  /** SIGTERM, and waits for its graceful end. */
  readonly stop: () => Promise<void>
  readonly signal: (name: "SIGSTOP" | "SIGCONT") => void
}

/** Postgres, as something that can be killed. */
export interface Keeper {
  readonly url: string
  readonly kill: () => Promise<void>
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
}

export interface Arena extends AsyncDisposable {
  readonly room: Room
  readonly redis: Server
  readonly postgres: Keeper
  readonly door: Member
  readonly members: ReadonlyArray<Member>
  /** Where the door is reached, also after it was started anew, and the wire that leads there. */
  readonly url: string
  readonly entry: Wire
  /** Ways that no verb harms (but the end of the servers themselves): for those who look. */
  readonly look: { readonly redis: IORedis; readonly sql: postgres.Sql }
  /** One at a time. */
  readonly alone: (act: () => Promise<void>) => Promise<void>
  /** Undoes whatever is still harmed. */
  readonly heal: () => Promise<void>
}

/** How long a process may take to be there, its servers included, ms. */
const startMaxMs = 60_000

const makeMember = async (
  name: string,
  room: Room,
  roles: string,
  args: ReadonlyArray<string>,
  servers: { readonly redis: string; readonly postgres: string }
): Promise<Member> => {
  const redis = await makeWire(servers.redis)
  const store = await makeWire(servers.postgres)
  let app: App | undefined
  /** One start or end after the other: verbs meet. */
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = (act: () => Promise<void>): Promise<void> => {
    const next = last.then(act, act)
    last = next.catch(() => {})
    return next
  }
  const end = (signal: NodeJS.Signals) =>
    inTurn(async () => {
      const gone = app
      app = undefined
      if (gone === undefined) return
      const late = setTimeout(() => gone.process.kill("SIGKILL"), 15_000)
      await gone.stop(signal)
      clearTimeout(late)
    })
  return {
    name,
    redis,
    postgres: store,
    start: () =>
      inTurn(async () => {
        for (const until = Date.now() + startMaxMs; app === undefined; await pause(100)) {
          const env = { REDIS_URL: redis.url, DATABASE_URL: store.url }
          app = await startApp(room, { roles, args, env }).catch((error: unknown) => {
            if (Date.now() > until) throw error
            return undefined
          })
        }
      }),
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
    signal: (signal) => void app?.process.kill(signal)
  }
}

const makeKeeper = async (folder: string): Promise<Keeper> => {
  mkdirSync(folder)
  chmodSync(folder, 0o711)
  // The port that it takes where it is free; the cluster is made beside.
  const wanted = { data: trueName(folder), port: await quietPort(), cluster: "" }
  writeFileSync(join(folder, "postgres.json"), JSON.stringify(wanted))
  // Not a throwaway: what it has committed must be there after a kill.
  const boot = () => startPostgres(folder, process.env, { throwaway: false })
  const { url } = await boot()
  return {
    url,
    start: async () => {
      await startPostgres(folder, process.env, { throwaway: false, samePort: true })
    },
    stop: async () => {
      await stopPostgres(folder)
    },
    kill: async () => {
      const { cluster } = JSON.parse(readFileSync(join(folder, "postgres.json"), "utf8")) as {
        readonly cluster: string
      }
      const server = postmaster(cluster)
      if (server === undefined) return
      const life = lifeOf(server.pid)
      process.kill(server.pid, "SIGKILL")
      await waitGone(life, startMaxMs)
    }
  }
}

export const makeArena = async (options: { readonly fsync: "always" | "everysec" }): Promise<Arena> => {
  const folder = mkdtempSync(join(tmpdir(), "loglytics-chaos-lines-"))
  chmodSync(folder, 0o711)
  const redis = await makeServer(join(folder, "redis"), options.fsync)
  const keeper = await makeKeeper(join(folder, "postgres"))
  const room: Room = {
    namespace: "chaos",
    schema: "chaos",
    dataDir: join(folder, "data"),
    key: "lg_chaos_0123456789abcdef",
    clear: () => Promise.resolve()
  }
  const port = await quietPort()
  const entry = await makeWire(`http://127.0.0.1:${port}`)
  const servers = { redis: redis.url, postgres: keeper.url }
  const door = await makeMember("door", room, "serve", ["--port", String(port)], servers)
  const pipelines = [
    await makeMember("pipeline 1", room, "work", [], servers),
    await makeMember("pipeline 2", room, "work", [], servers)
  ]
  const members = [door, ...pipelines]
  // The first migrates; the others find it done.
  await door.start()
  await Promise.all(pipelines.map((member) => member.start()))
  const looking = new IORedis(redis.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 })
  looking.on("error", () => {})
  const sql = postgres(keeper.url, { max: 2, onnotice: () => {}, connection: { search_path: room.schema } })
  let last = Promise.resolve()
  return {
    room,
    redis,
    postgres: keeper,
    door,
    members,
    url: entry.url.replace(/\/$/u, ""),
    entry,
    look: { redis: looking, sql },
    alone: (act) => (last = last.then(act, act)),
    heal: async () => {
      await last
      entry.mend()
      for (const member of members) {
        member.redis.mend()
        member.postgres.mend()
        member.signal("SIGCONT")
      }
      await Promise.all(members.map((member) => member.start()))
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(members.map((member) => (member.signal("SIGCONT"), member.kill())))
      for (const member of members) {
        member.redis.close()
        member.postgres.close()
      }
      entry.close()
      looking.disconnect()
      await sql.end({ timeout: 1 })
      await redis.kill()
      await keeper.stop()
      forgetPostgres(join(folder, "postgres"))
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
