/** A server on loopback that speaks OpenAI's `POST /v1/embeddings`, and fails as such servers do. */
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export type Fate =
  | "ok"
  | "reversed"
  | "rate limited"
  | "down"
  | "unauthorized"
  | "silent"
  | "garbage"
  | "too few"
  | "not numbers"
  | "mixed sizes"
  | "cut off"
  | "redirect"

export interface EmbeddingsServer {
  /** Base URL, with `/v1`. */
  readonly url: string
  fate: Fate
  dims: number
  /** Every request that was heard, in its order. */
  readonly heard: Array<{ readonly model: string; readonly input: ReadonlyArray<string>; readonly key: string }>
  readonly stop: () => Promise<void>
}

/** Words at places by their letters: texts that share words are near. */
const vectorOf = (text: string, dims: number): ReadonlyArray<number> => {
  const vector = Array.from({ length: dims }, () => 0.01)
  for (const word of text.toLowerCase().match(/[a-z]+/gu) ?? []) {
    let h = 7
    for (const letter of word) h = (h * 31 + letter.charCodeAt(0)) % 65_521
    vector[h % dims]! += 1
  }
  return vector
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString("utf8")
}

const answer = (fate: Fate, dims: number, input: ReadonlyArray<string>, response: ServerResponse): void => {
  const json = (status: number, value: unknown, headers: Record<string, string> = {}) =>
    void response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value))
  const data = input.map((text, index) => ({ object: "embedding", index, embedding: vectorOf(text, dims) }))
  switch (fate) {
    case "ok":
      return json(200, { object: "list", data })
    case "reversed":
      return json(200, { object: "list", data: data.toReversed() })
    case "rate limited":
      return json(429, { error: { message: "slow down" } }, { "retry-after": "7" })
    case "down":
      return json(503, { error: { message: "overloaded" } })
    case "unauthorized":
      return json(401, { error: { message: "bad key" } })
    case "silent":
      return
    case "garbage":
      return void response.writeHead(200, { "content-type": "text/html" }).end("<html>proxy error</html>")
    case "too few":
      return json(200, { data: data.slice(1) })
    case "not numbers":
      return json(200, { data: data.map((one) => ({ ...one, embedding: [null, "x"] })) })
    case "mixed sizes":
      return json(200, { data: data.map((one, i) => ({ ...one, embedding: one.embedding.slice(0, dims - (i % 2)) })) })
    case "cut off":
      response.writeHead(200, { "content-type": "application/json", "content-length": "1000" })
      response.write('{"data":[')
      return void response.destroy()
    case "redirect":
      return void response.writeHead(307, { location: "http://127.0.0.1:1/" }).end()
  }
}

export const startEmbeddingsServer = async (): Promise<EmbeddingsServer> => {
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      if (request.url !== "/v1/embeddings" || request.method !== "POST") return void response.writeHead(404).end()
      const { input, model } = JSON.parse(body) as { input: ReadonlyArray<string>; model: string }
      self.heard.push({ model, input, key: request.headers.authorization ?? "" })
      return answer(self.fate, self.dims, input, response)
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const self: EmbeddingsServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    fate: "ok",
    dims: 32,
    heard: [],
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    }
  }
  return self
}
