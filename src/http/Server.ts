/**
 * The one port: HTTP API, dashboard and the WebSocket upgrade. Promises that a running request is finished on shutdown
 * within a limit, that every failure that is not the client's is logged, and that no answer invites a browser to guess.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { ByteSize, Cause, Context, Data, Effect, Layer, Scope, type Types } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse, HttpStaticServer } from "effect/http"
import { HttpApiBuilder, HttpApiMiddleware, HttpApiScalar } from "effect/http-api"
import { createServer, type Server as NodeServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import { WebSocketServer } from "ws"
import { Gateway } from "../live/Gateway.ts"
import { Api } from "./Api.ts"
import { Decoding } from "./api/common.ts"
import { AuthLive } from "./Auth.ts"
import { Invalid, issuesOf } from "./Errors.ts"
import { AlertingHandlers } from "./handlers/alerting.ts"
import { AlertsHandlers } from "./handlers/alerts.ts"
import { AnalyticsHandlers } from "./handlers/analytics.ts"
import { AnomaliesHandlers } from "./handlers/anomalies.ts"
import { ChannelsHandlers } from "./handlers/channels.ts"
import { ConnectionsHandlers } from "./handlers/connections.ts"
import { DeadHandlers } from "./handlers/dead.ts"
import { makeDoors } from "./handlers/doors.ts"
import { ControlHandlers } from "./handlers/control.ts"
import { EngineHandlers } from "./handlers/engine.ts"
import { ExploreHandlers } from "./handlers/explore.ts"
import { FilesHandlers } from "./handlers/files.ts"
import { HealthHandlers } from "./handlers/health.ts"
import { IncidentsHandlers } from "./handlers/incidents.ts"
import { InsightsHandlers } from "./handlers/insights.ts"
import { LogsHandlers } from "./handlers/logs.ts"
import { PatternsHandlers } from "./handlers/patterns.ts"
import { ProjectsHandlers } from "./handlers/projects.ts"
import { PushHandlers } from "./handlers/push.ts"
import { RulesHandlers } from "./handlers/rules.ts"
import { SchedulesHandlers } from "./handlers/schedules.ts"
import { SemanticHandlers } from "./handlers/semantic.ts"
import { SettingsHandlers } from "./handlers/settings.ts"
import { TasksHandlers } from "./handlers/tasks.ts"
import { MetricsRoute } from "./Metrics.ts"

export interface ServerConfig {
  readonly host: string
  /** 0 = any free one. */
  readonly port: number
  /** Largest unpacked body of log lines, bytes. */
  readonly bodyMax: number
  /** Largest uploaded file as it is sent, bytes. */
  readonly uploadMax: number
  /** Folder of the built dashboard. */
  readonly webRoot: string
}

/** JSON payloads other than log lines: none needs more. */
const jsonBodyMax = ByteSize.mebibytes(1)
/** Characters of a URL's path, more of which no file system looks up and no parameter needs. */
const pathMax = 3_000
/** How long a running request may take to finish on shutdown. */
const drainTime = "5 seconds"

const DecodingLive = HttpApiMiddleware.layerSchemaErrorTransform(Decoding, (error) => {
  const part = error.kind.toLowerCase()
  const issues = issuesOf(error.cause.issue).map(({ message, path }) => ({
    path: path === "" ? part : `${part}.${path}`,
    message
  }))
  return Effect.fail(new Invalid({ message: issues.map((i) => `${i.path}: ${i.message}`).join("; "), issues }))
})

const csp =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self' ws: wss:; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

/** The doors of other products' protocols stand before the router. */
type Doors = Effect.Success<ReturnType<typeof makeDoors>>

/** Headers on every answer; 429 and 503 say when to come again; what fails on our side is logged. */
const guard = (doors: Doors) => (app: Effect.Effect<HttpServerResponse.HttpServerResponse, Types.unhandled>) =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const answer: Effect.Effect<
      HttpServerResponse.HttpServerResponse,
      Types.unhandled,
      HttpServerRequest.HttpServerRequest
    > =
      (request.url.split("?", 1)[0] ?? "").length > pathMax
        ? Effect.succeed(HttpServerResponse.empty({ status: 414 }))
        : (doors(request) ?? app)
    const response = yield* answer.pipe(
      Effect.tapCause((cause) =>
        Cause.hasInterruptsOnly(cause) || !Cause.hasDies(cause)
          ? Effect.void
          : Effect.logError("request failed", cause).pipe(
              Effect.annotateLogs({ method: request.method, path: request.url.split("?")[0] ?? "" })
            )
      )
    )
    const page = request.url === "/docs" || request.url.startsWith("/docs?")
    return HttpServerResponse.setHeaders(response, {
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      ...(page ? {} : { "content-security-policy": csp }),
      ...(response.status === 429 || response.status === 503 ? { "retry-after": "1" } : {})
    })
  })

const routes = (config: ServerConfig) =>
  Layer.mergeAll(
    HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(
      Layer.provide([
        ProjectsHandlers,
        SettingsHandlers,
        LogsHandlers({ bodyMax: config.bodyMax }),
        ExploreHandlers,
        PatternsHandlers,
        AnalyticsHandlers,
        AnomaliesHandlers,
        InsightsHandlers,
        SemanticHandlers,
        RulesHandlers,
        AlertsHandlers,
        IncidentsHandlers,
        AlertingHandlers,
        FilesHandlers({ bodyMax: config.uploadMax }),
        TasksHandlers,
        ConnectionsHandlers,
        ChannelsHandlers,
        PushHandlers,
        EngineHandlers,
        ControlHandlers,
        DeadHandlers,
        SchedulesHandlers,
        HealthHandlers
      ]),
      Layer.provide([AuthLive, DecodingLive])
    ),
    HttpApiScalar.layer(Api, { path: "/docs" }),
    MetricsRoute,
    HttpStaticServer.layer({ root: config.webRoot, prefix: "/", spa: true, cacheControl: "no-cache" }),
    HttpRouter.middleware(Effect.map(makeDoors({ bodyMax: config.bodyMax }), guard), { global: true })
  ).pipe(Layer.provide(Layer.succeed(HttpServerRequest.MaxBodySize, jsonBodyMax)))

/** Hands `/live` to the gateway and refuses every other upgrade. */
const upgrades = (server: NodeServer, gateway: Gateway["Service"]) => {
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 64 * 1_024 })
  server.on("upgrade", (request, socket: Duplex, head) => {
    socket.on("error", () => socket.destroy())
    if (request.url?.split("?")[0] !== "/live") {
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n")
      return
    }
    sockets.handleUpgrade(request, socket, head, (ws) => gateway.accept(ws, request))
  })
  return sockets
}

/** The server can't listen where it was told to. */
export class CannotListen extends Data.TaggedError("CannotListen")<{
  readonly config: ServerConfig
  readonly cause: NodeJS.ErrnoException
}> {
  override get message(): string {
    const { host, port } = this.config
    return this.cause.code === "EADDRINUSE"
      ? `PORT: expected a free port, got ${port}, which is taken: set PORT or --port`
      : `HOST, PORT: expected an address to listen on, got ${host}:${port}: ${this.cause.message}`
  }
}

const listen = (server: NodeServer, config: ServerConfig) =>
  Effect.callback<number, CannotListen>((resume) => {
    server.once("error", (cause) => resume(Effect.fail(new CannotListen({ config, cause }))))
    server.listen(config.port, config.host, () => resume(Effect.succeed((server.address() as AddressInfo).port)))
  })

export class Server extends Context.Service<Server, { readonly port: number }>()("loglytics/http/Server") {
  static readonly layer = (config: ServerConfig) =>
    Layer.effect(
      Server,
      Effect.gen(function* () {
        const gateway = yield* Gateway
        const scope = yield* Effect.scope
        const server = createServer({ requestTimeout: 0, headersTimeout: 30_000, keepAliveTimeout: 65_000 })
        const app = yield* HttpRouter.toHttpEffect(routes(config)).pipe(
          Effect.provideService(HttpRouter.RouterConfig, { maxParamLength: pathMax })
        )
        const handler = yield* NodeHttpServer.makeHandler(app, { scope: yield* Scope.fork(scope, "parallel") })
        server.on("request", handler).on("checkContinue", handler)
        const sockets = upgrades(server, gateway)
        const port = yield* listen(server, config)
        yield* Effect.addFinalizer(() =>
          Effect.callback<void>((resume) => {
            for (const socket of sockets.clients) socket.close(1001, "going away")
            server.close(() => resume(Effect.void))
            server.closeIdleConnections()
          }).pipe(
            Effect.timeoutOption(drainTime),
            Effect.andThen(
              Effect.sync(() => {
                for (const socket of sockets.clients) socket.terminate()
                server.closeAllConnections()
              })
            )
          )
        )
        return { port }
      })
    ).pipe(Layer.provide(NodeHttpServer.layerHttpServices))
}
