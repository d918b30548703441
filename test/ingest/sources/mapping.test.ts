/** What clouds say of an event, in our words; and what their errors mean. */
import { fc } from "../../support/property.ts"
import { describe, expect, it } from "vitest"
import { meaning as awsMeaning, serviceOf, toEvent as awsEvent } from "../../../src/ingest/sources/cloudwatch.ts"
import { toEvent as azureEvent } from "../../../src/ingest/sources/AzureRow.ts"
import { meaning as azureMeaning, queryOf } from "../../../src/ingest/sources/azure_monitor.ts"
import { meaningOf as gcpMeaning } from "../../../src/ingest/sources/gcp_logging.ts"
import { type Entry, millisOf, toEvent as gcpEvent } from "../../../src/ingest/sources/GcpEntry.ts"

describe("CloudWatch", () => {
  it.each([
    ["/aws/lambda/checkout", "checkout"],
    ["/aws/rds/instance/orders-db/postgresql", "orders-db"],
    ["/aws/eks/prod/cluster", "prod"],
    ["/ecs/api", "api"],
    ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/pay:*", "pay"],
    ["my-app", "my-app"],
    ["/", undefined]
  ])("guesses the service of %s", (group, service) => {
    expect(serviceOf(group)).toBe(service)
  })

  it("keeps the line for the formats, with group, stream and region", () => {
    const config = { log_group: "/aws/lambda/checkout", region: "eu-west-1" }
    const event = awsEvent(config, { message: "ERROR boom\n", timestamp: 5, logStreamName: "2026/[1]a", eventId: "e" })
    expect(event).toEqual({
      time: 5,
      service: "checkout",
      line: "ERROR boom",
      attributes: {
        "aws.log.group.names": ["/aws/lambda/checkout"],
        "aws.log.stream.names": ["2026/[1]a"],
        "cloud.provider": "aws",
        "cloud.region": "eu-west-1"
      }
    })
    expect(awsEvent(config, { message: '{"service":"real","msg":"x"}' }).service).toBeUndefined()
  })

  it("knows a wrong clock from wrong credentials", () => {
    const error = (name: string, message: string, status = 400) =>
      Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } })
    const fault = (name: string, message = "x", status = 400) => awsMeaning(error(name, message, status))?.fault
    expect(fault("InvalidSignatureException", "Signature expired: 20261101T000000Z is now earlier than")).toBe(
      "unreachable"
    )
    expect(fault("InvalidSignatureException", "The request signature we calculated does not match")).toBe("denied")
    expect(fault("AccessDeniedException")).toBe("denied")
    expect(fault("InvalidParameterException", "The specified nextToken is invalid.")).toBe("token")
    expect(fault("InvalidParameterException", "Invalid filter pattern")).toBe("settings")
    expect(fault("ServiceUnavailableException", "x", 503)).toBe("unreachable")
    expect(awsMeaning(new TypeError("fetch failed"))).toBeUndefined()
  })
})

describe("Google Cloud Logging", () => {
  const entry: Entry = {
    logName: "projects/p/logs/run.googleapis.com%2Frequests",
    insertId: "i1",
    timestamp: "2026-11-24T01:00:00.123456789Z",
    receiveTimestamp: "2026-11-24T01:00:01Z",
    severity: "WARNING",
    jsonPayload: { message: "slow", order: { id: 7 } },
    resource: { type: "cloud_run_revision", labels: { service_name: "checkout", location: "europe-west1", odd: "x" } },
    labels: { team: "a" },
    httpRequest: {
      requestMethod: "GET",
      requestUrl: "https://x.example/a?b=1",
      status: 503,
      requestSize: "12",
      responseSize: "34",
      userAgent: "curl",
      remoteIp: "203.0.113.9",
      latency: "0.250s",
      protocol: "HTTP/1.1"
    },
    trace: "projects/p/traces/0123456789abcdef0123456789abcdef",
    spanId: "0123456789abcdef",
    sourceLocation: { file: "a.go", line: "12", function: "main.f" }
  }

  it("reads severity, payload, resource, request and trace", () => {
    const { attributes, ...event } = gcpEvent(entry)
    expect(event).toEqual({
      time: millisOf(entry.timestamp),
      level: "warn",
      service: "checkout",
      message: "slow",
      traceId: "0123456789abcdef0123456789abcdef",
      spanId: "0123456789abcdef"
    })
    expect(attributes).toEqual({
      order: { id: 7 },
      "cloud.region": "europe-west1",
      "gcp.resource.labels.service_name": "checkout",
      "gcp.resource.labels.odd": "x",
      labels: { team: "a" },
      "http.request.method": "GET",
      "url.full": "https://x.example/a?b=1",
      "http.request.size": 12,
      "http.response.status_code": 503,
      "http.response.body.size": 34,
      "user_agent.original": "curl",
      "client.address": "203.0.113.9",
      "network.protocol.name": "http",
      "network.protocol.version": "1.1",
      duration_ms: 250,
      "code.file.path": "a.go",
      "code.line.number": 12,
      "code.function.name": "main.f",
      "cloud.provider": "gcp",
      "gcp.log_name": entry.logName,
      "gcp.resource.type": "cloud_run_revision",
      "gcp.insert_id": "i1"
    })
    expect(millisOf(entry.timestamp)).toBeCloseTo(Date.parse("2026-11-24T01:00:00.123Z") + 0.456789, 3)
  })

  it("reads text, audit entries, and requests without a payload", () => {
    expect(gcpEvent({ textPayload: "level=error a=1\n" })).toMatchObject({ line: "level=error a=1" })
    const proto = {
      "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
      serviceName: "iam.googleapis.com",
      methodName: "SetPolicy"
    }
    expect(gcpEvent({ protoPayload: proto, severity: 200 })).toMatchObject({
      level: "info",
      service: "iam.googleapis.com",
      message: "iam.googleapis.com SetPolicy",
      attributes: { protoPayload: proto }
    })
    expect(gcpEvent({ httpRequest: { requestMethod: "GET", requestUrl: "/x", status: 200 } }).message).toBe(
      "GET /x 200"
    )
    expect(gcpEvent({ jsonPayload: { a: 1 } }).message).toBe('{"a":1}')
  })

  it("never throws, whatever stands there", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        (json) => void gcpEvent({ jsonPayload: json, protoPayload: json, httpRequest: json })
      )
    )
  })

  it("knows what an answer means", () => {
    const retry = [{ retryDelay: "4s" }]
    expect(gcpMeaning(429, { details: retry }, undefined, false)).toMatchObject({
      fault: "throttled",
      retryAfterMs: 4_000
    })
    expect(gcpMeaning(400, { message: "page_token is invalid" }, undefined, true).fault).toBe("token")
    expect(gcpMeaning(400, { message: "page_token is invalid" }, undefined, false).fault).toBe("settings")
    expect(gcpMeaning(401, undefined, undefined, false).fault).toBe("denied")
    expect(gcpMeaning(503, undefined, "2", false)).toMatchObject({ fault: "unreachable", retryAfterMs: 2_000 })
  })
})

describe("Azure Monitor", () => {
  it("reads traces of Application Insights", () => {
    const row = {
      TimeGenerated: new Date("2026-11-24T01:00:00.123Z"),
      Message: "payment refused",
      SeverityLevel: 3,
      AppRoleName: "checkout",
      AppRoleInstance: "pod-1",
      OperationId: "0123456789abcdef0123456789abcdef",
      ParentId: "0123456789abcdef",
      Properties: { order: 7 },
      ClientIP: "203.0.113.9",
      TenantId: "t",
      _ItemId: "i",
      Empty: ""
    }
    expect(azureEvent("AppTraces", row)).toEqual({
      time: Date.parse("2026-11-24T01:00:00.123Z"),
      level: "error",
      service: "checkout",
      message: "payment refused",
      traceId: "0123456789abcdef0123456789abcdef",
      spanId: "0123456789abcdef",
      attributes: {
        "cloud.provider": "azure",
        "azure.table": "AppTraces",
        "azure.item_id": "i",
        "service.instance.id": "pod-1",
        "client.address": "203.0.113.9",
        SeverityLevel: 3,
        AppRoleName: "checkout",
        OperationId: "0123456789abcdef0123456789abcdef",
        ParentId: "0123456789abcdef",
        Properties: { order: 7 }
      }
    })
  })

  it("leaves lines of containers and custom logs to the formats", () => {
    const pod = {
      LogMessage: "level=info x=1",
      PodName: "p",
      PodNamespace: "n",
      ContainerName: "api",
      LogSource: "stderr"
    }
    expect(azureEvent("ContainerLogV2", pod)).toMatchObject({
      line: "level=info x=1",
      service: "api",
      attributes: { "k8s.pod.name": "p", "k8s.namespace.name": "n", "log.iostream": "stderr" }
    })
    expect(azureEvent("ContainerLogV2", { LogMessage: { level: "info" } }).line).toBe('{"level":"info"}')
    expect(azureEvent("Syslog", { SyslogMessage: "x", SeverityLevel: "crit", ProcessName: "sshd" })).toMatchObject({
      level: "fatal",
      message: "x",
      service: "sshd"
    })
    expect(azureEvent("Odd_CL", {}).message).toBe("Odd_CL")
  })

  it("never throws, whatever stands there", () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (row) => void azureEvent("T", row)))
  })

  it("asks by ingestion time", () => {
    const ask = queryOf({ table: "AppTraces", where: "SeverityLevel >= 2" }, 0, 60_000, 10)
    expect(ask).toBe(
      "AppTraces | where ingestion_time() >= datetime(1970-01-01T00:00:00.000Z) and ingestion_time() < " +
        "datetime(1970-01-01T00:01:00.000Z) | where SeverityLevel >= 2 | extend _loglytics_ingested = ingestion_time() | " +
        "order by _loglytics_ingested asc | take 10"
    )
  })

  it("knows what an error means", () => {
    const fault = (statusCode: number) => azureMeaning(Object.assign(new Error("x"), { statusCode }))?.fault
    expect([429, 403, 404, 400, 500].map(fault)).toEqual(["throttled", "denied", "missing", "settings", "unreachable"])
  })
})
