/** Cloud Logging on loopback: entries:list over REST. */
import { type CloudServer, startCloud } from "./Server.ts"

const error = (status: number, name: string, message: string, details: ReadonlyArray<unknown> = []) => ({
  status,
  body: { error: { code: status, status: name, message, details } }
})

const boundOf = (filter: string, sign: string): number =>
  Date.parse(new RegExp(`timestamp ${sign} "([^"]+)"`, "u").exec(filter)?.[1] ?? "")

export const startGcp = (): Promise<CloudServer> =>
  startCloud({
    type: "application/json",
    fail: (failure) =>
      failure === "throttled"
        ? error(429, "RESOURCE_EXHAUSTED", "Quota exceeded", [
            { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "0.001s" }
          ])
        : failure === "error"
          ? error(503, "UNAVAILABLE", "try again")
          : failure === "gone"
            ? error(404, "NOT_FOUND", "Project does not exist: projects/p")
            : error(403, "PERMISSION_DENIED", "The caller does not have permission"),
    answer: (cloud, body, request) => {
      if (request.url !== "/v2/entries:list" || body["orderBy"] !== "timestamp asc") return error(404, "NOT_FOUND", "?")
      const filter = String(body["filter"])
      const page = cloud.model.page({
        from: boundOf(filter, ">="),
        to: boundOf(filter, "<"),
        now: cloud.now,
        limit: Number(body["pageSize"]),
        token: body["pageToken"] as string | undefined
      })
      if (page === undefined) return error(400, "INVALID_ARGUMENT", "page_token is invalid or expired")
      const entries = page.items.map(({ id, ingested, message, time }) => ({
        logName: "projects/test-project/logs/app",
        insertId: id,
        timestamp: new Date(time).toISOString(),
        receiveTimestamp: new Date(ingested).toISOString(),
        severity: "ERROR",
        textPayload: message
      }))
      // An answer without entries has no such field.
      return {
        status: 200,
        body: {
          ...(entries.length === 0 ? {} : { entries }),
          ...(page.token === undefined ? {} : { nextPageToken: page.token })
        }
      }
    }
  })
