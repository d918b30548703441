/**
 * Redis servers of a test's own, on loopback and in a temporary folder: one, one with TLS or users, a Cluster of six, a
 * master with a replica and three sentinels. Promises that all of them are gone at `stop`, and that a Cluster's three queues
 * lie on three masters. The program is the one that `npm start` would run.
 */
import { Redis as IORedis } from "ioredis"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { findRedis } from "../../scripts/launch/redis_binary.mjs"
import { freePort } from "../../scripts/launch/wire.mjs"
import { makeCertificate } from "./certificate.ts"

/** A server program that runs here; in a container it could not announce its ports to the others. */
export const binary = await findRedis(process.env)

export interface Node {
  readonly port: number
  process: ChildProcess
  /** Starts it again after its end, with what it has kept. */
  readonly revive: () => void
  /** A client of the test's own. */
  readonly client: IORedis
}

export interface Servers {
  readonly nodes: ReadonlyArray<Node>
  /** For REDIS_URL. */
  readonly url: string
  readonly folder: string
  readonly stop: () => Promise<void>
}

const readyMaxMs = 10_000

/** Looks every few ms until `check` is true. */
export const until = async (what: string, check: () => Promise<boolean>, ms = readyMaxMs): Promise<void> => {
  const end = Date.now() + ms
  while (!(await check().catch(() => false))) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`)
    await sleep(10)
  }
}

interface Wanted {
  readonly port: number
  readonly config: ReadonlyArray<string>
  /** As a sentinel: its configuration is a file, which it writes itself. */
  readonly sentinel?: boolean
  readonly auth?: { readonly username?: string; readonly password: string }
  readonly tls?: { readonly ca: string }
}

const launch = (folder: string, wanted: Wanted): Node => {
  const { port, sentinel = false } = wanted
  const dir = join(folder, String(port))
  mkdirSync(dir)
  const file = join(dir, "own.conf")
  const kept = sentinel ? [] : ['save ""', "appendonly no"]
  writeFileSync(file, [`dir ${dir}`, "bind 127.0.0.1", ...kept, ...wanted.config].join("\n"))
  const run = () =>
    spawn(binary.command, [...binary.before, file, ...(sentinel ? ["--sentinel"] : [])], {
      stdio: "ignore",
      env: { ...process.env, ...binary.env }
    })
  const client = new IORedis({
    port,
    host: "127.0.0.1",
    ...wanted.auth,
    ...(wanted.tls === undefined ? {} : { tls: wanted.tls }),
    enableReadyCheck: false,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null
  })
  client.on("error", () => {})
  const node: Node = { port, process: run(), revive: () => void (node.process = run()), client }
  return node
}

const end = async (nodes: ReadonlyArray<Node>): Promise<void> => {
  const gone = ({ client, process: child }: Node) => {
    client.disconnect()
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve()
    const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()))
    child.kill("SIGKILL")
    return exit
  }
  await Promise.all(nodes.map(gone))
}

type Start = (wanted: Wanted) => Promise<Node>

const group = async (
  make: (start: Start, folder: string) => Promise<Omit<Servers, "stop" | "folder">>
): Promise<Servers> => {
  const folder = mkdtempSync(join(tmpdir(), "loglytics-redis-"))
  const started: Array<Node> = []
  const killAll = () => started.forEach((node) => node.process.kill("SIGKILL"))
  process.once("exit", killAll)
  const stop = async () => {
    process.off("exit", killAll)
    await end(started)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const made = await make(async (wanted) => {
      const node = launch(folder, wanted)
      started.push(node)
      return node
    }, folder)
    return { ...made, folder, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const ping = (nodes: ReadonlyArray<Node>) =>
  Promise.all(
    nodes.map(({ client, port }) => until(`port ${port} answers`, async () => (await client.ping()) === "PONG"))
  )

const inStep = async (client: IORedis) => (await client.info("replication")).includes("master_link_status:up")

const ports = async (count: number): Promise<ReadonlyArray<number>> => {
  const found = new Set<number>()
  while (found.size < count) found.add(await freePort())
  return [...found]
}

/** Lines of a configuration that speaks TLS only on `port`; the certificate's file is its own authority. */
const tlsLines = (port: number, ca: string, key: string): ReadonlyArray<string> => [
  "port 0",
  `tls-port ${port}`,
  `tls-cert-file ${ca}`,
  `tls-key-file ${key}`,
  `tls-ca-cert-file ${ca}`,
  "tls-auth-clients optional"
]

/** A certificate and its key as files of a folder. */
const writeCertificate = (folder: string) => {
  const [ca, key] = [join(folder, "ca.crt"), join(folder, "own.key")]
  const { cert, key: secret } = makeCertificate()
  writeFileSync(ca, cert)
  writeFileSync(key, secret)
  return { ca, key, cert }
}

/** One server. `user`: an ACL line (without the word user); everybody else is then shut out. */
export const oneServer = (options: { readonly user?: string; readonly tls?: boolean } = {}): Promise<Servers> =>
  group(async (start, folder) => {
    const [port = 0] = await ports(1)
    const { ca, cert, key } = writeCertificate(folder)
    const listens = options.tls ? tlsLines(port, ca, key) : [`port ${port}`]
    const admin = { username: "admin", password: "admin" }
    const users =
      options.user === undefined ? [] : ["user default off", "user admin on >admin ~* &* +@all", `user ${options.user}`]
    const server = await start({
      port,
      config: [...listens, ...users],
      ...(options.tls === true ? { tls: { ca: cert } } : {}),
      ...(options.user === undefined ? {} : { auth: admin })
    })
    await ping([server])
    return { nodes: [server], url: `redis${options.tls === true ? "s" : ""}://127.0.0.1:${port}` }
  })

/** So that the slots of the three queues (5835, 5718, 1057) lie on three masters. */
const slots = [
  ["0", "5460"],
  ["5461", "5799", "10923", "16383"],
  ["5800", "10922"]
] as const

/**
 * Three masters (the first three nodes) and a replica of each (the last three), in the same order. With `tls` they speak nothing
 * else, among themselves too (`ca.crt` in their folder), and want the password.
 */
export const clusterOfSix = (options: { readonly tls?: { readonly password: string } } = {}): Promise<Servers> =>
  group(async (start, folder) => {
    const { tls } = options
    const { ca, cert, key } = writeCertificate(folder)
    const secured = tls && [
      `requirepass ${tls.password}`,
      `masterauth ${tls.password}`,
      "tls-cluster yes",
      "tls-replication yes"
    ]
    const all = await ports(12)
    const bus = (i: number) => all[i + 6] ?? 0
    const nodes = await Promise.all(
      all.slice(0, 6).map((port, i) =>
        start({
          port,
          ...(tls && { tls: { ca: cert }, auth: { password: tls.password } }),
          config: [
            ...(secured === undefined ? [`port ${port}`] : [...tlsLines(port, ca, key), ...secured]),
            "cluster-enabled yes",
            `cluster-port ${bus(i)}`,
            "cluster-node-timeout 1000",
            "cluster-replica-validity-factor 0",
            "repl-diskless-sync-delay 0",
            "repl-ping-replica-period 1"
          ]
        })
      )
    )
    await ping(nodes)
    const call = async (i: number, ...args: ReadonlyArray<string | number>) =>
      await nodes[i]?.client.call("CLUSTER", ...args.map(String))
    await Promise.all(nodes.map((_, i) => call(i, "SET-CONFIG-EPOCH", i + 1)))
    await Promise.all(slots.map((ranges, i) => call(i, "ADDSLOTSRANGE", ...ranges)))
    await Promise.all(
      nodes.flatMap((_, i) => nodes.slice(0, i).map((other, j) => call(i, "MEET", "127.0.0.1", other.port, bus(j))))
    )
    const info = async (i: number) => String(await call(i, "INFO"))
    const everyone = (what: string, check: (i: number) => Promise<boolean>) =>
      Promise.all(nodes.map((_, i) => until(what, () => check(i))))
    await everyone("all know each other", async (i) => {
      const known = String(await call(i, "NODES"))
      return known.trim().split("\n").length === 6 && !known.includes("handshake")
    })
    for (let i = 0; i < 3; i++) await call(i + 3, "REPLICATE", String(await call(i, "MYID")))
    await everyone("the cluster serves", async (i) => (await info(i)).includes("cluster_state:ok"))
    await Promise.all(nodes.slice(3).map(({ client }) => until("a replica is in step", () => inStep(client))))
    await everyone(
      "all know who replicates whom",
      async (i) => (String(await call(i, "NODES")).match(/\bslave\b/gu) ?? []).length === 3
    )
    return {
      nodes,
      url: `redis${tls ? "s" : ""}+cluster://${tls ? `:${tls.password}@` : ""}${nodes
        .slice(0, 3)
        .map((n) => `127.0.0.1:${n.port}`)
        .join(",")}`
    }
  })

/** A slot's keys go from one master to another, some at a time, as `redis-cli --cluster reshard` moves them; `between`: after each step. */
export const moveSlot = async (
  servers: Servers,
  slot: number,
  from: Node,
  to: Node,
  between: () => Promise<unknown>
): Promise<void> => {
  const call = (node: Node, ...args: ReadonlyArray<string | number>) =>
    node.client.call(...(args.map(String) as [string]))
  const [source, target] = [await call(from, "CLUSTER", "MYID"), await call(to, "CLUSTER", "MYID")].map(String)
  await call(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", source ?? "")
  await call(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", target ?? "")
  await between()
  while (true) {
    const keys = (await call(from, "CLUSTER", "GETKEYSINSLOT", slot, 10)) as ReadonlyArray<string>
    if (keys.length === 0) break
    await call(from, "MIGRATE", "127.0.0.1", to.port, "", 0, 5_000, "KEYS", ...keys)
    await between()
  }
  for (const node of [to, from, ...servers.nodes.slice(0, 3)])
    await call(node, "CLUSTER", "SETSLOT", slot, "NODE", target ?? "")
}

/**
 * A master (first node), its replica (second) and three sentinels, who call the master `main`. With passwords: one that the
 * servers want, and one that the sentinels want.
 */
export const sentinelSet = (passwords?: { readonly servers: string; readonly sentinels: string }): Promise<Servers> =>
  group(async (start) => {
    const [master = 0, replica = 0, ...watchers] = await ports(5)
    const quick = ["repl-diskless-sync-delay 0", "repl-ping-replica-period 1"]
    const own = passwords && { auth: { password: passwords.servers } }
    const wanted = passwords ? [`requirepass ${passwords.servers}`, `masterauth ${passwords.servers}`] : []
    const servers = await Promise.all([
      start({ port: master, ...own, config: [`port ${master}`, ...quick, ...wanted] }),
      start({
        port: replica,
        ...own,
        config: [`port ${replica}`, `replicaof 127.0.0.1 ${master}`, ...quick, ...wanted]
      })
    ])
    await ping(servers)
    await Promise.all(servers.slice(1).map(({ client }) => until("the replica is in step", () => inStep(client))))
    const sentinels = await Promise.all(
      watchers.map((port, i) =>
        start({
          port,
          sentinel: true,
          ...(passwords && { auth: { password: passwords.sentinels } }),
          config: [
            `port ${port}`,
            `sentinel monitor main 127.0.0.1 ${master} 2`,
            ...(passwords
              ? [
                  `sentinel auth-pass main ${passwords.servers}`,
                  `requirepass ${passwords.sentinels}`,
                  `sentinel sentinel-pass ${passwords.sentinels}`
                ]
              : []),
            // Not all at once: each would vote for itself, and the next election comes after twice the time of a failover.
            `sentinel down-after-milliseconds main ${[400, 600, 1_500][i]}`,
            "sentinel failover-timeout main 1500"
          ]
        })
      )
    )
    await ping(sentinels)
    await Promise.all(
      sentinels.map(({ client }) =>
        until("the sentinels know each other and the replica", async () => {
          const told = (await client.call("SENTINEL", "MASTER", "main")) as ReadonlyArray<string>
          const of = (field: string) => told[told.indexOf(field) + 1]
          return of("num-other-sentinels") === "2" && of("num-slaves") === "1"
        })
      )
    )
    const at = watchers.map((port) => `127.0.0.1:${port}`).join(",")
    const url = passwords
      ? `redis+sentinel://:${passwords.servers}@${at}/main?sentinelPassword=${passwords.sentinels}`
      : `redis+sentinel://${at}/main`
    return { nodes: [...servers, ...sentinels], url }
  })
