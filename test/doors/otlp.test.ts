/** OpenTelemetry's own exporters against the application: what a program logs comes out of search. */
/* oxlint-disable typescript/no-unsafe-enum-assignment -- the SDK brings an API of its own, whose enum is another type */
import { SeverityNumber } from "@opentelemetry/api-logs"
import { OTLPLogExporter as HttpExporter } from "@opentelemetry/exporter-logs-otlp-http"
import { OTLPLogExporter as ProtoExporter } from "@opentelemetry/exporter-logs-otlp-proto"
import { resourceFromAttributes } from "@opentelemetry/resources"
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type App, makeRoom, startApp } from "../support/app.ts"
import { newProject, stored, type TestProject } from "../support/doors.ts"

let app: App
beforeAll(async () => {
  app = await startApp(await makeRoom())
}, 60_000)
afterAll(async () => {
  await app.stop()
  await app.room.clear()
})

const traceId = "5b8efff798038103d269b633813fc60c"
const spanId = "eee19b7ec3c1b174"
/** A context with a span, as the API's `trace.setSpan` makes one. */
const context = {
  getValue: () => ({ spanContext: () => ({ traceId, spanId, traceFlags: 1 }) }),
  setValue: () => context,
  deleteValue: () => context
}

const exporters = { http: HttpExporter, proto: ProtoExporter }

const log = async (project: TestProject, kind: keyof typeof exporters, compression: "none" | "gzip", path: string) => {
  // As a user sets it; read when the exporter is made.
  process.env["OTEL_EXPORTER_OTLP_COMPRESSION"] = compression
  const exporter = new exporters[kind]({
    url: `${app.url}${path}`,
    headers: { authorization: `Bearer ${project.key}` }
  })
  delete process.env["OTEL_EXPORTER_OTLP_COMPRESSION"]
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ "service.name": "checkout", "deployment.environment.name": "test" }),
    processors: [new BatchLogRecordProcessor({ exporter, scheduledDelayMillis: 50 })]
  })
  const logger = provider.getLogger("shop", "1.2.3")
  const at = Date.now() - 60_000
  logger.emit({
    timestamp: at,
    severityNumber: SeverityNumber.ERROR,
    severityText: "ERROR",
    body: "payment failed",
    attributes: { "user.id": 42, tags: ["a", "b"], nested: { deep: true } },
    context
  })
  logger.emit({ timestamp: at + 1_000, severityNumber: SeverityNumber.INFO, body: { step: "ship", items: 3 } })
  logger.emit({
    timestamp: at + 2_000,
    severityNumber: SeverityNumber.WARN,
    eventName: "cart.abandoned",
    body: "gone",
    attributes: {}
  })
  await provider.forceFlush()
  await provider.shutdown()
  return at
}

describe.each(["http", "proto"] as const)("exporter-logs-otlp-%s", (kind) => {
  it.each(["none", "gzip"] as const)(
    "is understood, with compression %s",
    async (compression) => {
      const project = await newProject(app)
      const at = await log(project, kind, compression, "/v1/otlp/v1/logs")
      const [first, second, third] = await stored(app, project, 3)
      expect(first).toMatchObject({
        time: new Date(at).toISOString(),
        level: "error",
        service: "checkout",
        message: "payment failed",
        traceId,
        spanId,
        attributes: {
          "user.id": 42,
          tags: ["a", "b"],
          nested: { deep: true },
          "deployment.environment.name": "test",
          "otel.scope.name": "shop",
          "otel.scope.version": "1.2.3"
        }
      })
      expect(second).toMatchObject({ level: "info", service: "checkout", attributes: { step: "ship", items: 3 } })
      expect(third).toMatchObject({ level: "warn", message: "gone", attributes: { "event.name": "cart.abandoned" } })
    },
    90_000
  )

  it("is understood at /v1/logs, too", async () => {
    const project = await newProject(app)
    await log(project, kind, "none", "/v1/logs")
    expect((await stored(app, project, 3)).map(({ level }) => level)).toEqual(["error", "info", "warn"])
  }, 90_000)
})

describe("refusals", () => {
  it("are a Status in the type of the request", async () => {
    const json = await fetch(`${app.url}/v1/otlp/v1/logs`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer wrong" },
      body: "{}"
    })
    expect([json.status, await json.json()]).toMatchObject([401, { code: 16 }])
    const proto = await fetch(`${app.url}/v1/otlp/v1/logs`, {
      method: "POST",
      headers: { "content-type": "application/x-protobuf", authorization: `Bearer ${app.key}` },
      body: new Uint8Array([10, 200, 1])
    })
    expect([proto.status, proto.headers.get("content-type")]).toEqual([400, "application/x-protobuf"])
    expect(Buffer.from(await proto.arrayBuffer()).subarray(0, 3)).toEqual(Buffer.from([8, 3, 18]))
  })
})
