/**
 * The Postgres of a data folder: adopts the one that runs, or makes its cluster and starts it. The server's own
 * postmaster.pid is the record: process, folder and port; it counts as ours when the server itself names the same folder.
 */
import { spawn, spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { shortHash, trueName } from "./places.mjs"
import { asAccount, canEnter, findPostgres, serverAccount, systemFolder } from "./postgres_binary.mjs"
import { isAlive, lifeOf, run, signal, stopProcess, tail, waitGone } from "./processes.mjs"
import { Refusal } from "./say.mjs"
import { ensurePassword, knownPassword, writePrivate } from "./secrets.mjs"
import { askPostgres, freePort } from "./wire.mjs"

/** @typedef {import("./places.mjs").Env} Env */
/** @typedef {import("./postgres_binary.mjs").Account} Account */
/** @typedef {import("./redis.mjs").Running} Running */

const database = "loglytics"
/** @param {number} port @param {string | undefined} password */
const urlOf = (port, password) => `postgres://postgres${password ? `:${password}` : ""}@127.0.0.1:${port}/${database}`

/**
 * Where the cluster lies. Written down once, since the account, and with it the answer, may differ between users.
 * @param {string} data
 */
const placeFile = (data) => join(data, "postgres.json")

/** @param {string} data @returns {{ cluster: string, port: number, login?: string } | undefined} `login`: which password it has */
const recorded = (data) => {
  try {
    const record = JSON.parse(readFileSync(placeFile(data), "utf8"))
    return record.data === trueName(data) ? record : undefined
  } catch {
    return undefined
  }
}

/** @param {string} cluster @returns {{ pid: number, port: number } | undefined} what postmaster.pid says */
export const postmaster = (cluster) => {
  try {
    const lines = readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n")
    const pid = Number(lines[0])
    const port = Number(lines[3])
    return pid > 0 && port > 0 ? { pid, port } : undefined
  } catch {
    return undefined
  }
}

/** @param {string} cluster @param {string | undefined} password @returns {Promise<Running | undefined>} */
const answers = async (cluster, password) => {
  const server = postmaster(cluster)
  if (!server || !isAlive(lifeOf(server.pid))) return undefined
  try {
    const [folder = ""] = await askPostgres(server.port, "SHOW data_directory", { password })
    if (trueName(folder) !== trueName(cluster)) return undefined
    const [version = ""] = await askPostgres(server.port, "SHOW server_version", { password })
    return { url: urlOf(server.port, password), detail: `Postgres ${version}` }
  } catch {
    return undefined
  }
}

/** The running Postgres of this data folder, if any. @param {string} data @returns {Promise<Running | undefined>} */
export const runningPostgres = async (data) => {
  const record = recorded(data)
  return record && existsSync(record.cluster) ? answers(record.cluster, knownPassword(data)) : undefined
}

/** The process that is recorded for this data folder, alive or not. @param {string} data @returns {import("./processes.mjs").Life | undefined} */
export const postgresLife = (data) => {
  const record = recorded(data)
  const server = record && postmaster(record.cluster)
  return server && lifeOf(server.pid)
}

/** @param {string} data @param {Account} account */
const chooseCluster = (data, account) => {
  if (!account || canEnter(data, account)) return join(data, "postgres")
  // Named anew, so that a data folder that was removed and made again does not meet the old data.
  return join(systemFolder(), `${shortHash(data)}-${randomBytes(3).toString("hex")}`)
}

/**
 * Who must run an existing cluster when we are root: whoever owns it. One that root owns is a copy, and is given away.
 * @param {string} cluster @param {NonNullable<Account>} usual @returns {Promise<NonNullable<Account>>}
 */
const ownerOf = async (cluster, usual) => {
  if (!existsSync(join(cluster, "PG_VERSION"))) return usual
  const { gid, uid } = statSync(cluster)
  if (uid !== 0) return { uid, gid, name: `the user ${uid}` }
  await run("chown", ["-R", `${usual.uid}:${usual.gid}`, cluster])
  return usual
}

/** A copied cluster may hold the postmaster.pid of the server it was copied from; Postgres would wait for that one. @param {string} cluster */
const forgetOther = (cluster) => {
  const file = join(cluster, "postmaster.pid")
  if (!existsSync(file)) return
  const folder = readFileSync(file, "utf8").split("\n")[1] ?? ""
  if (trueName(folder) !== trueName(cluster)) rmSync(file, { force: true })
}

/** Lines of pg_hba.conf that let anybody in, as those of clusters that older versions made. */
const trusting = /^([ \t]*(?:local|host)[^#\n]*[ \t])trust[ \t]*$/gmu

/**
 * Gives a cluster that lies still our password, without ever listening, and has it asked for.
 * @param {string} native @param {string} cluster @param {Account} account @param {string} password
 */
const lockUp = (native, cluster, account, password) => {
  const file = join(cluster, "pg_hba.conf")
  const rules = readFileSync(file, "utf8")
  const result = spawnSync(join(native, "bin", "postgres"), ["--single", "-D", cluster, "postgres"], {
    input: `ALTER ROLE postgres PASSWORD '${password}'\n`,
    encoding: "utf8",
    cwd: "/",
    ...asAccount(account)
  })
  if (result.status !== 0 || /ERROR|FATAL|PANIC/u.test(result.stderr)) {
    throw new Refusal(`DATABASE_URL: expected ${cluster} to take a password, got:\n    ${tail(result.stderr)}`)
  }
  writeFileSync(file, rules.replace(trusting, "$1scram-sha-256"))
}

/** @param {string} native @param {string} cluster @param {Account} account @param {string} password */
const initialise = async (native, cluster, account, password) => {
  // One that was cut short has no PG_VERSION yet holds files, which initdb refuses.
  rmSync(cluster, { recursive: true, force: true })
  mkdirSync(cluster, { recursive: true, mode: 0o700 })
  chmodSync(cluster, 0o700)
  if (account) chownSync(cluster, account.uid, account.gid)
  const locale = ["-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
  // Beside the cluster, since the account can get there; the folder itself must be empty.
  const secret = `${cluster}.password`
  writePrivate(secret, `${password}\n`)
  if (account) chownSync(secret, account.uid, account.gid)
  const result = await run(
    join(native, "bin", "initdb"),
    ["-D", cluster, "-U", "postgres", "-A", "scram-sha-256", `--pwfile=${secret}`, ...locale, "-N"],
    {
      cwd: "/",
      env: { ...process.env, LC_ALL: "C" },
      ...asAccount(account)
    }
  )
  rmSync(secret, { force: true })
  if (result.code === 0) return
  rmSync(cluster, { recursive: true, force: true })
  throw new Refusal(`DATABASE_URL: initdb in ${cluster} exited with ${result.code}\n    ${tail(result.stderr)}`)
}

/** A cluster whose server was killed may still have its children: a new server refuses to start until they are gone. */
const leftovers_max_ms = 10_000
/** How long a server may take to recover from its log. */
const recovery_max_ms = 120_000

/**
 * Starts the Postgres of this data folder; call it only when `runningPostgres` found none, and under the folder's lock.
 * @param {string} data
 * @param {Env} env
 * @param {{ throwaway: boolean, samePort?: boolean }} options a throwaway server does not wait for the disk; `samePort`: its URL is
 * in use, so no other port will do
 * @returns {Promise<Running>}
 */
export const startPostgres = async (data, env, { samePort = false, throwaway }) => {
  const before = recorded(data)
  const usual = serverAccount()
  const cluster = before && existsSync(before.cluster) ? before.cluster : chooseCluster(data, usual)
  const account = usual && (await ownerOf(cluster, usual))
  const { native } = findPostgres(env, account)
  forgetOther(cluster)
  const port = await freePort(before?.port)
  if (samePort && port !== before?.port)
    throw new Refusal(`Postgres: expected port ${before?.port} to be free, it is taken`)
  const password = ensurePassword(data)
  const login = shortHash(password)
  if (existsSync(join(cluster, "PG_VERSION"))) {
    // One of an older version, a copy, or one whose password was lost.
    if (before?.login !== login) lockUp(native, cluster, account, password)
  } else await initialise(native, cluster, account, password)
  writePrivate(placeFile(data), JSON.stringify({ data: trueName(data), cluster, port, login }))
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=100",
    "shared_buffers=128MB",
    "max_wal_size=2GB",
    "wal_compression=on",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    ...(throwaway ? ["fsync=off", "synchronous_commit=off", "full_page_writes=off"] : [])
  ].flatMap((setting) => ["-c", setting])
  const log = join(data, "postgres.log")
  for (const until = Date.now() + leftovers_max_ms; ;) {
    const ended = await launch(
      join(native, "bin", "postgres"),
      ["-D", cluster, "-p", String(port), ...settings],
      log,
      account,
      cluster,
      password
    )
    if (ended === undefined) break
    // "lock file postmaster.pid already exists", or "pre-existing shared memory block … is still in use".
    if (Date.now() > until || !/postmaster\.pid|pre-existing shared memory/u.test(ended)) {
      throw new Refusal(`DATABASE_URL: expected Postgres to start, got:\n    ${tail(ended)}\n    see ${log}`)
    }
    await sleep(250)
  }
  const [known] = await askPostgres(port, `SELECT 1 FROM pg_database WHERE datname = '${database}'`, { password })
  if (known === undefined) await askPostgres(port, `CREATE DATABASE ${database}`, { password, withinMs: 30_000 })
  const running = await answers(cluster, password)
  if (!running) throw new Refusal(`DATABASE_URL: expected Postgres to answer on port ${port}, got nothing; see ${log}`)
  return running
}

/**
 * @param {string} command @param {ReadonlyArray<string>} args @param {string} log @param {Account} account @param {string} cluster
 * @param {string} password
 * @returns {Promise<string | undefined>} what it said if it ended before it was ready
 */
const launch = async (command, args, log, account, cluster, password) => {
  const output = openSync(log, "w", 0o600)
  const child = spawn(command, args, {
    // Its own process group: Ctrl-C is for the main program, the server is stopped when that has drained.
    detached: true,
    stdio: ["ignore", output, output],
    cwd: "/",
    ...asAccount(account)
  })
  closeSync(output)
  const state = { ended: false }
  child.on("error", () => (state.ended = true))
  child.on("exit", () => (state.ended = true))
  child.unref()
  for (const until = Date.now() + recovery_max_ms; Date.now() < until && !state.ended;) {
    if (postmaster(cluster)?.pid === child.pid && (await answers(cluster, password))) return undefined
    await sleep(20)
  }
  if (!state.ended) await stopProcess(lifeOf(child.pid ?? -1), "SIGQUIT", 5_000)
  return readFileSync(log, "utf8") || `${command} could not be started`
}

/** Stops the Postgres of this data folder, whoever started it. @param {string} data @returns {Promise<boolean>} whether one ran */
export const stopPostgres = async (data) => {
  const cluster = recorded(data)?.cluster
  const server = cluster === undefined ? undefined : postmaster(cluster)
  if (!server || !cluster || !(await answers(cluster, knownPassword(data)))) return false
  const life = lifeOf(server.pid)
  // Fast shutdown: connections are closed, everything is written.
  signal(server.pid, "SIGINT")
  if (!(await waitGone(life, 20_000))) await stopProcess(life, "SIGQUIT", 5_000)
  return true
}

/** Removes the cluster of a folder that is thrown away, wherever it lies. @param {string} data */
export const forgetPostgres = (data) => {
  const cluster = recorded(data)?.cluster
  if (cluster) rmSync(cluster, { recursive: true, force: true })
  rmSync(placeFile(data), { force: true })
}
