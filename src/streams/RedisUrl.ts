/**
 * The URL of a Redis or Valkey, read into what a client needs. Promises that a wrong one is refused with what was expected
 * and what was got, and that no password is ever told. Pure: certificates are named here and read by `Connect`.
 *
 *     redis://   [user:password@]host[:port][/db]               one server
 *     redis+cluster://[user:password@]host[:port],host…         a Redis Cluster; any of its nodes
 *     redis+sentinel://[user:password@]host[:port],host…/NAME   the sentinels, and the name they know the master by
 *     rediss…                                                   the same over TLS
 */

/** Options behind the `?`. */
export interface RedisUrlOptions {
  /** Files, PEM: who signed the servers' certificates (instead of the system's list), and the client's own certificate. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Name that the servers' certificate must carry, where it is not the host of the URL. */
  readonly servername?: string
  /** false: any certificate is taken. */
  readonly rejectUnauthorized?: boolean
  /** The sentinels' own user and password. */
  readonly sentinelUsername?: string
  readonly sentinelPassword?: string
  /** Replicas that must hold a job or a batch of lines before it counts as accepted; 0 = none. */
  readonly replicas?: number
  readonly family?: 4 | 6
}

export interface RedisUrl {
  readonly kind: "single" | "cluster" | "sentinel"
  readonly tls: boolean
  readonly nodes: ReadonlyArray<{ readonly host: string; readonly port: number }>
  /** What the sentinels call the master; "" without sentinels. */
  readonly name: string
  readonly username: string | undefined
  readonly password: string | undefined
  readonly db: number
  readonly options: RedisUrlOptions
}

export type ReadRedisUrl =
  | { readonly ok: true; readonly url: RedisUrl }
  | { readonly ok: false; readonly expected: string; readonly got: string }

/** Carries what is wrong out of the parts that read; never leaves this file. */
class Wrong extends Error {
  readonly expected: string
  readonly got: string
  constructor(expected: string, got: string) {
    super(got)
    this.expected = expected
    this.got = got
  }
}

const schemes = "redis://, rediss://, redis+cluster://, rediss+cluster://, redis+sentinel:// or rediss+sentinel://"

/** Reads a URL. */
export const readRedisUrl = (text: string): ReadRedisUrl => {
  try {
    return { ok: true, url: read(text) }
  } catch (error) {
    if (error instanceof Wrong) return { ok: false, expected: error.expected, got: error.got }
    throw error
  }
}

/** A URL for people: without passwords and options. */
export const shownRedisUrl = (url: RedisUrl): string => {
  const plus = url.kind === "single" ? "" : `+${url.kind}`
  const user = url.password === undefined ? "" : `${url.username ?? ""}:***@`
  const nodes = url.nodes.map((n) => `${n.host.includes(":") ? `[${n.host}]` : n.host}:${n.port}`).join(",")
  const path = url.kind === "sentinel" ? `/${url.name}` : url.db === 0 ? "" : `/${url.db}`
  return `redis${url.tls ? "s" : ""}${plus}://${user}${nodes}${path}`
}

const read = (text: string): RedisUrl => {
  const parts = /^(rediss?)(?:\+(cluster|sentinel))?:\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?(#.*)?$/su.exec(text)
  if (parts === null) {
    const scheme = /^[a-z][a-z0-9+.-]*:/iu.exec(text)?.[0]
    throw new Wrong(`a URL that starts with ${schemes}`, scheme === undefined ? "a text that is no URL" : `${scheme}…`)
  }
  const [, protocol, of, authority = "", path = "", query = "", hash] = parts
  if (hash !== undefined) throw new Wrong("a # in a password written as %23", "a part behind #")
  const kind = of === "cluster" || of === "sentinel" ? of : "single"
  const at = authority.lastIndexOf("@")
  const user = at < 0 ? {} : credentials(authority.slice(0, at))
  const nodes = authority
    .slice(at + 1)
    .split(",")
    .map((host) => node(host, kind === "sentinel" ? 26_379 : 6_379))
  if (kind === "single" && nodes.length > 1) {
    throw new Wrong("one host (or redis+cluster://, redis+sentinel:// for several)", `${nodes.length} hosts`)
  }
  const { db: asked, options } = readOptions(query, kind, protocol === "rediss")
  const named = decode(path.slice(1), "the path")
  if (kind === "sentinel" && (named === "" || named.includes("/"))) {
    throw new Wrong(
      "the master's name behind the hosts: redis+sentinel://host:26379/NAME",
      named === "" ? "none" : path
    )
  }
  const db = kind !== "sentinel" && named !== "" ? database(named) : (asked ?? 0)
  if (kind === "cluster" && db !== 0) throw new Wrong("database 0, the only one of a cluster", String(db))
  return {
    kind,
    tls: protocol === "rediss",
    nodes,
    name: kind === "sentinel" ? named : "",
    username: user.username,
    password: user.password,
    db,
    options
  }
}

const decode = (text: string, what: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Wrong(`${what} with a % written as %25`, "a % that is no escape")
  }
}

const credentials = (text: string): { readonly username?: string; readonly password?: string } => {
  const colon = text.indexOf(":")
  if (colon < 0) throw new Wrong("user:password@ or :password@ before the host", "a user without a password")
  const username = decode(text.slice(0, colon), "a user name")
  return { password: decode(text.slice(colon + 1), "a password"), ...(username === "" ? {} : { username }) }
}

const node = (text: string, standard: number) => {
  const found = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/iu.exec(text)
  const host = found?.[1] ?? found?.[2]
  // What stands there may be a part of a password.
  if (host === undefined) throw new Wrong("host or host:port, several parted by commas", "something else")
  const port = found?.[3] === undefined ? standard : Number(found[3])
  if (port < 1 || port > 65_535) throw new Wrong("a port, 1 to 65535", String(port))
  return { host, port }
}

const database = (text: string): number => {
  if (!/^\d{1,5}$/u.test(text)) throw new Wrong("a number of a database", JSON.stringify(text))
  return Number(text)
}

const tlsOptions = ["ca", "cert", "key", "servername", "rejectUnauthorized"]
const sentinelOptions = ["sentinelUsername", "sentinelPassword"]
const options = [...tlsOptions, ...sentinelOptions, "db", "family", "replicas"]

const readOptions = (query: string, kind: RedisUrl["kind"], tls: boolean) => {
  const out: { -readonly [K in keyof RedisUrlOptions]: RedisUrlOptions[K] } = {}
  let db: number | undefined
  for (const [name, value] of new URLSearchParams(query)) {
    if (!options.includes(name)) throw new Wrong(`the options ${options.join(", ")}`, JSON.stringify(name))
    if (!tls && tlsOptions.includes(name)) throw new Wrong(`rediss… for the option ${name}`, "redis… without TLS")
    if (kind !== "sentinel" && sentinelOptions.includes(name)) {
      throw new Wrong(`redis+sentinel:// for the option ${name}`, "no sentinels")
    }
    if (value === "") throw new Wrong(`a value for the option ${name}`, "none")
    if (name === "db") db = database(value)
    else if (name === "family") out.family = Number(one(name, value, ["4", "6"])) as 4 | 6
    else if (name === "rejectUnauthorized") out.rejectUnauthorized = one(name, value, ["true", "false"]) === "true"
    else if (name === "replicas") out.replicas = Number(one(name, value, ["0", "1", "2", "3", "4", "5"]))
    else out[name as "ca"] = value
  }
  if ((out.cert === undefined) !== (out.key === undefined)) {
    throw new Wrong("cert and key together", out.cert === undefined ? "key alone" : "cert alone")
  }
  return { db, options: out as RedisUrlOptions }
}

const one = (name: string, value: string, of: ReadonlyArray<string>): string => {
  if (!of.includes(value)) throw new Wrong(`${name}=${of.join(" or ")}`, JSON.stringify(value))
  return value
}
