/**
 * A server of others on loopback: answers as its author says, keeps what it was sent, and fails on demand in the ways that
 * servers fail: a status, silence, rubbish, a cut before or after the request was taken.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface Taken {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

export interface Reply {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: unknown
}

export type Fault =
  | {
      readonly kind: "status"
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: unknown
    }
  /** Nothing is said, ever. */
  | { readonly kind: "silence" }
  /** The connection ends before the server does what it was asked. */
  | { readonly kind: "cut" }
  /** The server does it, and the connection ends before it says so. */
  | { readonly kind: "cut after" }
  /** Half of an answer that is no HTTP body of the API. */
  | { readonly kind: "garbage" }

export interface Fake {
  readonly url: string
  /** Every request that was taken whole, in order; also those that failed. */
  readonly taken: Array<Taken>
  /** The next requests fail like this, one each. */
  readonly faults: Array<Fault>
  readonly close: () => Promise<void>
}

const readAll = async (request: IncomingMessage): Promise<string> => {
  const parts: Array<Buffer> = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString("utf8")
}

const write = (response: ServerResponse, { body, headers, status }: Reply): void => {
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body)
  const type = typeof body === "string" ? "text/plain" : "application/json"
  response.writeHead(status, { "content-type": type, ...headers }).end(text)
}

/** Starts one; `answer` does what the API does. */
export const startFake = async (answer: (request: Taken) => Reply): Promise<Fake> => {
  const taken: Array<Taken> = []
  const faults: Array<Fault> = []
  const server = createServer((request, response) => {
    void readAll(request)
      .then((body) => {
        const one: Taken = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body }
        taken.push(one)
        const fault = faults.shift()
        switch (fault?.kind) {
          case "status":
            return write(response, { body: {}, ...fault })
          case "silence":
            return undefined
          case "cut":
            return request.socket.destroy()
          case "cut after":
            answer(one)
            return request.socket.destroy()
          case "garbage":
            return write(response, { status: 200, body: "<html>not what you wanted" })
          case undefined:
            return write(response, answer(one))
        }
      })
      .catch(() => request.socket.destroy())
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    faults,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections()
        server.close(() => done())
      })
  }
}
