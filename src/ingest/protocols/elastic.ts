/**
 * Elasticsearch's `_bulk` and what its clients ask before they send: enough to be shipped to, not to be searched. Each
 * document is a line of JSON that the formats read; every item has its own status, so that a client sends again what was
 * not taken and nothing else. All answers name the product, which clients insist on.
 */
import {
  type Asked,
  type Door,
  jsonReply,
  type Protocol,
  type Reason,
  type Refusal,
  type Reply,
  statusOf
} from "../Protocol.ts"
import { type Item, readBulk } from "./Bulk.ts"

/** Clients look at the major version: all of today's send to an 8. */
const version = "8.19.0"
const product = { "x-elastic-product": "Elasticsearch" }

const reply = (status: number, value: unknown): Reply => jsonReply(status, value, product)

const types: Readonly<Record<Reason, string>> = {
  "no key": "security_exception",
  "wrong key": "security_exception",
  forbidden: "security_exception",
  "no project": "index_not_found_exception",
  malformed: "illegal_argument_exception",
  unsupported: "media_type_header_exception",
  "too large": "content_too_long_exception",
  busy: "es_rejected_execution_exception",
  unavailable: "unavailable_shards_exception"
}

const causeOf = ({ message, reason }: Refusal) => ({ type: types[reason], reason: message })

const refuse = (refusal: Refusal): Reply => {
  const cause = causeOf(refusal)
  return reply(statusOf[refusal.reason], {
    error: { root_cause: [cause], ...cause },
    status: statusOf[refusal.reason]
  })
}

/**
 * Whether a sender is known to send again just the items that were not taken. Others send all of them once more, or drop
 * what has an error: they get a refusal of the whole.
 */
const knowsItems = (asked: Asked): boolean =>
  /(?:^|,)h=bp/u.test(asked.headers["x-elastic-client-meta"] ?? "") ||
  /beat\/|beat-|logstash/iu.test(asked.headers["user-agent"] ?? "")

/** The answer to a bulk request, as compact as clients' quick looks for `"errors":false,"items":[` want it. */
const bulkReply = (took: number, items: ReadonlyArray<Item>, taken: number, why: Refusal | undefined): Reply => {
  let errors = false
  let documents = 0
  const answers: Array<string> = []
  for (const { fault, head } of items) {
    let failed = fault
    if (failed === undefined && documents++ >= taken && why !== undefined) {
      // The one status that clients take for "send this item again".
      failed = { status: statusOf.busy, ...causeOf(why) }
    }
    errors ||= failed !== undefined
    answers.push(
      failed === undefined
        ? `${head}"status":201}}`
        : `${head}"status":${failed.status},"error":${JSON.stringify({ type: failed.type, reason: failed.reason })}}}`
    )
  }
  return {
    status: 200,
    headers: { "content-type": "application/json", ...product },
    body: `{"took":${took},"errors":${errors},"items":[${answers.join(",")}]}`
  }
}

const bulk = (index: string, items: boolean): Door => ({
  refuse,
  read: (body) => {
    const read = readBulk(body.bytes, index)
    if ("reason" in read) return read
    return {
      events: read.events,
      accept: () => bulkReply(1, read.items, Number.POSITIVE_INFINITY, undefined),
      ...(items ? { acceptPart: (taken: number, why: Refusal) => bulkReply(1, read.items, taken, why) } : {})
    }
  }
})

const greeting = reply(200, {
  name: "loglytics",
  cluster_name: "loglytics",
  cluster_uuid: "bG9nbHl0aWNzLWVsYXN0aWM",
  version: {
    number: version,
    build_flavor: "default",
    build_type: "tar",
    build_hash: "unknown",
    build_date: "2026-01-01T00:00:00.000Z",
    build_snapshot: false,
    lucene_version: "9.12.2",
    minimum_wire_compatibility_version: "7.17.0",
    minimum_index_compatibility_version: "7.0.0"
  },
  tagline: "You Know, for Search"
})

const health = { cluster_name: "loglytics", status: "green", timed_out: false, number_of_nodes: 1 }
const license = { license: { uid: "loglytics", type: "oss", status: "active", mode: "oss" } }

/** What clients ask for or set up before they send: they are told that all is there. */
const setUp =
  /^\/(?:_ilm|_index_template|_component_template|_template|_ingest|_nodes|_logstash|_cluster|_data_stream)(?:\/|$)/u

const handshake = (method: string, path: string): Reply | undefined => {
  const asks = method === "GET" || method === "HEAD"
  if (asks && path === "/_license") return reply(200, license)
  if (asks && path === "/_xpack") return reply(200, { ...license, features: {} })
  if (asks && path.startsWith("/_cluster/health")) return reply(200, health)
  if (asks && path.startsWith("/_nodes")) {
    const nodes = { loglytics: { name: "loglytics", version, roles: ["ingest"] } }
    return reply(200, { _nodes: { total: 1, successful: 1, failed: 0 }, cluster_name: "loglytics", nodes })
  }
  if (!setUp.test(path)) return undefined
  return reply(200, method === "PUT" || method === "POST" || method === "DELETE" ? { acknowledged: true } : {})
}

/** Whether a request to `/`, where the dashboard lies, comes from a client of Elasticsearch. */
const isClient = (asked: Asked): boolean => {
  const accept = asked.headers["accept"] ?? ""
  return (
    asked.method === "HEAD" ||
    accept.includes("vnd.elasticsearch") ||
    accept.startsWith("application/json") ||
    /elastic|logstash|beat\//iu.test(asked.headers["user-agent"] ?? "")
  )
}

const indexOf = (path: string): string | undefined => {
  const found = /^(?:\/([^/]{1,255})){0,2}\/_bulk$/u.exec(path)
  if (found === null) return undefined
  try {
    return decodeURIComponent(path.split("/").at(1) ?? "").replace(/^_bulk$/u, "")
  } catch {
    return ""
  }
}

const base = "/elastic"

const door = (asked: Asked): Door | undefined => {
  const { method } = asked
  const under = asked.path === base || asked.path.startsWith(`${base}/`)
  const path = under ? asked.path.slice(base.length) || "/" : asked.path
  const index = method === "POST" || method === "PUT" ? indexOf(path) : undefined
  if (index !== undefined) return bulk(index, knowsItems(asked))
  if (path === "/" && (method === "GET" || method === "HEAD") && (under || isClient(asked))) {
    return { open: true, refuse, reply: greeting }
  }
  const known = handshake(method, path)
  if (known !== undefined) return { refuse, reply: known }
  if (!under) return undefined
  if (method === "HEAD") return { refuse, reply: reply(200, {}) }
  const message = `expected _bulk or what clients ask before it, got ${method} ${path.slice(0, 200)}`
  const cause = { type: "illegal_argument_exception", reason: message }
  return { refuse, reply: reply(404, { error: { root_cause: [cause], ...cause }, status: 404 }) }
}

export const elastic: Protocol = { name: "elastic", door }
