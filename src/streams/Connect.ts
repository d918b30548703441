/**
 * Opens clients for one server, a set watched by sentinels, or a Cluster. Promises that a client finds the new master after
 * a failover by itself, that what can't be sent again comes back as an error, and that no caller waits longer for an answer
 * than `answerMaxMs`. What the URL says is read by `RedisUrl`.
 */
import { readFileSync } from "node:fs"
import { Cluster, Redis as IORedis, type RedisOptions } from "ioredis"
import * as PlainPort from "./PlainPort.ts"
import type { RedisUrl } from "./RedisUrl.ts"

/** The raw client type, for modules of `streams/` that speak commands. On a Cluster, keys of one call share a slot. */
export type Client = IORedis | Cluster

/** Longest pause between two tries to reach the server, ms: a caller learns within about three of them that it is gone. */
const reconnectMaxMs = 500

/**
 * A command of the shared client without an answer after this long has failed, ms. The driver itself holds what was on the
 * wire when a connection broke until there is a new one, however long that takes; callers must not wait that long.
 */
const answerMaxMs = 10_000

/** How often the driver looks which node has which slot where nothing told it, ms: a frozen master is left then. */
const slotsMaxAgeMs = 5_000

/** Whether the keys of one call must share a slot. */
export const isCluster = (client: Client): client is Cluster => client instanceof Cluster

/** How often a command is sent again while a Cluster fails over (100 ms apart); then its caller is told. */
const redirectionsMax = 48

type Options = Omit<RedisOptions, "replyMapping">

/** How a client is used: many callers share it, or one reader blocks on it. */
export type Use = "shared" | "dedicated"

/** What a client needs besides the URL. */
export interface Purpose {
  /** Told to the server, for CLIENT LIST. */
  readonly name: string
  readonly use: Use
}

/** The files that a URL names, as Node takes them; throws where one can't be read. */
export const tlsOf = (url: RedisUrl): Record<string, unknown> | undefined => {
  if (!url.tls) return undefined
  const { ca, cert, key, rejectUnauthorized, servername } = url.options
  const file = (name: string, path: string | undefined) => {
    if (path === undefined) return {}
    try {
      return { [name]: readFileSync(path) }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`REDIS_URL: expected ${name} to be a file that can be read, got ${why}`, { cause: error })
    }
  }
  return {
    ...file("ca", ca),
    ...file("cert", cert),
    ...file("key", key),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized })
  }
}

const backOff = (times: number): number => Math.min(50 * 2 ** Math.min(times, 6), reconnectMaxMs)

const faults = new WeakMap<Client, Error & { readonly lastNodeError?: Error }>()

/** Why a client has no connection, in the server's words where it had some. */
export const faultOf = (client: Client): string | undefined => {
  const fault = faults.get(client)
  return fault?.lastNodeError?.message ?? fault?.message
}

const wantedReplicas = new WeakMap<Client, number>()

/** How many replicas must hold what this client's callers are told is accepted; 0 = none. */
export const replicasOf = (client: Client): number => wantedReplicas.get(client) ?? 0

/**
 * Whether a command that was on the wire when its server failed may have been carried out and be sent again to the one
 * after it. What must not happen twice then has to be recognised by the server.
 */
export const mayRepeat = (client: Client): boolean =>
  client instanceof Cluster || Array.isArray(client.options.sentinels) || replicasOf(client) > 0

/** A client; it connects by itself. Errors come with commands, never as events nobody hears. */
export const connect = (url: RedisUrl, tls: Record<string, unknown> | undefined, purpose: Purpose): Client => {
  const options: Options = {
    connectionName: purpose.name,
    // Two commands less per connection, and less to be allowed for.
    disableClientInfo: true,
    enableReadyCheck: true,
    ...(url.username === undefined ? {} : { username: url.username }),
    ...(url.password === undefined ? {} : { password: url.password }),
    ...(url.options.family === undefined ? {} : { family: url.options.family }),
    ...(tls === undefined ? {} : { tls }),
    ...(purpose.use === "shared"
      ? { maxRetriesPerRequest: 2, commandTimeout: answerMaxMs }
      : { maxRetriesPerRequest: null })
  }
  const client =
    url.kind === "cluster"
      ? cluster(url, options, purpose)
      : new IORedis({ ...options, ...places(url, tls), db: url.db, retryStrategy: backOff, reconnectOnError })
  // Errors reach callers through their own commands; without a listener ioredis would print them.
  // What is known of the port says more than how the handshake ended.
  let plain: Error | undefined
  client.on("error", (fault: Error) => faults.set(client, plain ?? fault))
  client.on("ready", () => {
    plain = undefined
    faults.delete(client)
  })
  if (client instanceof IORedis && url.kind === "sentinel") undying(client)
  if (client instanceof IORedis && url.kind === "single" && tls !== undefined) {
    PlainPort.watch(client, (fault) => faults.set(client, (plain = fault)))
  }
  wantedReplicas.set(client, url.options.replicas ?? 0)
  return client
}

/**
 * The driver gives a client up for good where it hears of a switch of masters just while it connects. Such a client begins anew,
 * until it is told to disconnect.
 */
const undying = (client: IORedis): void => {
  let wanted = true
  const disconnect = client.disconnect.bind(client)
  client.disconnect = (reconnect) => {
    if (reconnect !== true) wanted = false
    disconnect(reconnect)
  }
  client.on("end", () => {
    if (!wanted) return
    setTimeout(() => {
      if (wanted && client.status === "end") client.connect().catch(() => {})
    }, backOff(0))
  })
}

/** A server that has become a replica: the connection is left for the master's, and the command sent there. */
const reconnectOnError = (error: Error) => (error.message.startsWith("READONLY") ? 2 : false)

const places = (url: RedisUrl, tls: Record<string, unknown> | undefined): Options => {
  const [first] = url.nodes
  if (url.kind === "single") return { host: first?.host ?? "127.0.0.1", port: first?.port ?? 6379 }
  const { sentinelPassword, sentinelUsername } = url.options
  return {
    sentinels: url.nodes.map((n) => ({ ...n })),
    name: url.name,
    failoverDetector: true,
    sentinelRetryStrategy: backOff,
    ...(tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword })
  }
}

const cluster = (url: RedisUrl, options: Options, purpose: Purpose): Cluster => {
  const client = new Cluster(
    url.nodes.map((n) => ({ ...n })),
    {
      clusterRetryStrategy: backOff,
      maxRedirections: redirectionsMax,
      slotsRefreshInterval: slotsMaxAgeMs,
      // A certificate names the host, not its address.
      ...(url.tls ? { dnsLookup: (host, done) => done(null, host) } : {}),
      redisOptions: options
    }
  )
  if (purpose.use === "shared") bounded(client)
  return client
}

/** What waits for the Cluster to be ready waits no longer than what is on the wire. */
const bounded = (client: Cluster): void => {
  const send = client.sendCommand.bind(client)
  client.sendCommand = (command, stream, node) => {
    command.setTimeout(answerMaxMs)
    return send(command, stream, node)
  }
}

/** The masters of a Cluster, or the one server. */
export const masters = (client: Client): ReadonlyArray<IORedis> =>
  client instanceof Cluster ? client.nodes("master") : [client]

/** Every connection that a client has now. */
export const connections = (client: Client): ReadonlyArray<IORedis> =>
  client instanceof Cluster ? client.nodes("all") : [client]

/** What is heard on a channel. `listening` is called after each (re)connection: what came before it may have been missed. */
export interface Ear {
  readonly message: (text: string) => void
  readonly listening: () => void
}

/**
 * Listens to a channel until the function it returns is called. On a Cluster every node hears everything: one of them is
 * asked, and another where that one goes.
 */
export const listen = (
  url: RedisUrl,
  tls: Record<string, unknown> | undefined,
  shared: Client,
  name: string,
  channel: string,
  ear: Ear
): (() => void) => {
  const start = (client: IORedis): IORedis => {
    client.on("error", () => {})
    client.on("message", (_channel, text) => ear.message(text))
    client.on("ready", () => {
      client.subscribe(channel).then(ear.listening, () => {})
    })
    return client
  }
  if (!(shared instanceof Cluster)) {
    const client = start(connect(url, tls, { name, use: "dedicated" }) as IORedis)
    return () => client.disconnect()
  }
  let closed = false
  let failures = 0
  let current: IORedis | undefined
  let timer: NodeJS.Timeout | undefined
  const next = (): void => {
    const nodes = shared.nodes("all")
    const chosen = nodes[Math.floor(Math.random() * nodes.length)]
    if (closed) return
    if (chosen === undefined) return later()
    const { host, port, username, password, family } = chosen.options
    const options = {
      host,
      port,
      username,
      password,
      family,
      connectionName: name,
      disableClientInfo: true,
      retryStrategy: null,
      ...(tls && { tls })
    }
    current = start(new IORedis(options as Options))
    current.on("ready", () => (failures = 0))
    current.once("end", later)
  }
  const later = (): void => {
    if (!closed) timer = setTimeout(next, backOff(failures++))
  }
  next()
  return () => {
    closed = true
    clearTimeout(timer)
    current?.disconnect()
  }
}

/** Ends the blocking reads of these readers, wherever they block. A server that refuses (ACL) lets them run out. */
export const unblock = async (shared: Client, readers: ReadonlyArray<Client>): Promise<void> => {
  const own = readers.flatMap(connections)
  const names = new Set(own.map((c) => c.options.connectionName))
  const ports = new Set(own.map((c) => (c.stream as { readonly localPort?: number } | undefined)?.localPort))
  const on = async (node: IORedis): Promise<void> => {
    const list = String(await node.client("LIST"))
    for (const line of list.split("\n")) {
      const id = /(?:^| )id=(\d+)/u.exec(line)?.[1]
      const name = /(?:^| )name=(\S+)/u.exec(line)?.[1]
      const port = Number(/(?:^| )addr=\S*:(\d+)/u.exec(line)?.[1])
      if (id !== undefined && name !== undefined && names.has(name) && ports.has(port)) {
        await node.call("CLIENT", "UNBLOCK", id)
      }
    }
  }
  await Promise.allSettled(masters(shared).map(on))
}
