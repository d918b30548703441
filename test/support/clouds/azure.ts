/**
 * Azure Monitor Logs on loopback: queries of a workspace over https with a certificate of its own. It understands the one
 * query that the source writes. Its store is asked by ingestion time, so an event's own time plays no part in its order.
 */
import { setDefaultCACertificates, getCACertificates } from "node:tls"
import { makeCertificate } from "../certificate.ts"
import { type CloudServer, startCloud } from "./Server.ts"

const error = (status: number, code: string, message: string, headers = {}) => ({
  status,
  body: { error: { code, message } },
  headers
})

const columns = [
  { name: "TimeGenerated", type: "datetime" },
  { name: "Message", type: "string" },
  { name: "SeverityLevel", type: "int" },
  { name: "AppRoleName", type: "string" },
  { name: "Properties", type: "dynamic" },
  { name: "_ItemId", type: "string" },
  { name: "_loglytics_ingested", type: "datetime" }
]

const momentOf = (query: string, sign: string): number =>
  Date.parse(new RegExp(`ingestion_time\\(\\) ${sign} datetime\\(([^)]+)\\)`, "u").exec(query)?.[1] ?? "")

/** The certificate that the servers of this process show; the process trusts it. */
const certificate = makeCertificate()
setDefaultCACertificates([...getCACertificates(), certificate.cert])

/** `partial`: answers of more than that many rows are cut, as Azure does with large ones. */
export const startAzure = (
  options: { readonly partial?: number } = {}
): Promise<CloudServer & { readonly ca: string }> =>
  startCloud({
    tls: certificate,
    type: "application/json",
    fail: (failure) =>
      failure === "throttled"
        ? error(429, "TooManyRequests", "slow down", { "retry-after": "0.001" })
        : failure === "error"
          ? error(503, "ServiceUnavailable", "try again")
          : failure === "gone"
            ? error(404, "WorkspaceNotFoundError", "The workspace could not be found")
            : error(403, "InsufficientAccessError", "The provided credentials have insufficient access"),
    answer: (cloud, body) => {
      const query = String(body["query"])
      const [from, to] = [momentOf(query, ">="), momentOf(query, "<")]
      const limit = Number(/\| take (\d+)$/u.exec(query)?.[1])
      const [begin = "", end = ""] = String(body["timespan"]).split("/")
      const found = cloud.model.stored
        .filter((e) => e.ingested >= from && e.ingested < to && e.visible <= cloud.now)
        .filter((e) => e.time >= Date.parse(begin) && e.time <= Date.parse(end))
        .toSorted((a, b) => a.ingested - b.ingested)
        .slice(0, limit)
      const cut = options.partial !== undefined && found.length > options.partial
      const rows = found
        .slice(0, options.partial ?? found.length)
        .map(({ id, ingested, message, time }) => [
          new Date(time).toISOString(),
          message,
          3,
          "checkout",
          '{"a":1}',
          id,
          new Date(ingested).toISOString()
        ])
      const tables = [{ name: "PrimaryResult", columns, rows }]
      return { status: 200, body: cut ? { tables, error: { code: "PartialError", message: "too large" } } : { tables } }
    }
  }).then((cloud) => Object.assign(cloud, { ca: certificate.cert }))
