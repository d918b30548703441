/**
 * What the servers that stand for clouds share: a store on the server's own clock, the ways in which they fail, and an HTTP or
 * HTTPS server on loopback. A failure is used up by the next request.
 */
import { once } from "node:events"
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer as createHttps } from "node:https"
import type { AddressInfo } from "node:net"
import { makeModel, type Model } from "./Model.ts"

export const failures = ["throttled", "error", "hang", "garbage", "gone", "denied"] as const
export type Failure = (typeof failures)[number]

export interface CloudServer {
  readonly url: string
  readonly model: Model
  /** The server's clock, epoch ms. */
  now: number
  /** How the next requests fail. */
  readonly failing: Array<Failure>
  /** Every request's body and credentials, oldest first. */
  readonly requests: Array<{ readonly body: Record<string, unknown>; readonly authorization: string }>
  readonly stop: () => Promise<void>
}

export interface Reply {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

const bodyOf = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
  const parts: Array<Buffer> = []
  for await (const part of request) parts.push(part as Buffer)
  return JSON.parse(Buffer.concat(parts).toString("utf8")) as Record<string, unknown>
}

export const startCloud = async (options: {
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly type: string
  readonly answer: (cloud: CloudServer, body: Record<string, unknown>, request: IncomingMessage) => Reply
  readonly fail: (failure: Exclude<Failure, "hang" | "garbage">) => Reply
}): Promise<CloudServer> => {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request)
    cloud.requests.push({ body, authorization: request.headers.authorization ?? "" })
    const failure = cloud.failing.shift()
    if (failure === "hang") return
    if (failure === "garbage") return void response.writeHead(200, { "content-type": options.type }).end("<html>{")
    const reply = failure === undefined ? options.answer(cloud, body, request) : options.fail(failure)
    response.writeHead(reply.status, { "content-type": options.type, ...reply.headers }).end(JSON.stringify(reply.body))
  }
  const listener = (request: IncomingMessage, response: ServerResponse) => void handle(request, response)
  const server = options.tls === undefined ? createHttp(listener) : createHttps(options.tls, listener)
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const cloud: CloudServer = {
    url: `http${options.tls === undefined ? "" : "s"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    model: makeModel(),
    now: Date.now(),
    failing: [],
    requests: [],
    stop: async () => {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    }
  }
  return cloud
}
