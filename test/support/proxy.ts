/** A wire that tests can cut, freeze, slow down and make deaf, between the application and a server it needs. */
import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { Transform } from "node:stream"

export interface Wire {
  /** The server's URL by way of the wire. */
  readonly url: string
  /** Every connection breaks, new ones are refused, until `mend`. */
  readonly cut: () => void
  /** Nothing passes and nothing breaks, until `mend`. */
  readonly freeze: () => void
  /** What is asked passes, what is answered does not, until `mend`. */
  readonly deafen: () => void
  /** Each piece of data, both ways, takes so many ms, one after another: late and narrow. 0: at once again. */
  readonly slow: (ms: number) => void
  readonly mend: () => void
  readonly close: () => void
}

/** A Cluster can't be put behind one wire: its clients learn the nodes' own ports. */
export const hasOneWire = (serverUrl: string): boolean => URL.canParse(serverUrl)

export const makeWire = async (serverUrl: string): Promise<Wire> => {
  const target = new URL(serverUrl)
  const port = Number(target.port === "" ? (target.protocol.startsWith("redis") ? 6379 : 5432) : target.port)
  const pairs = new Set<readonly [Socket, Socket]>()
  let state: "whole" | "cut" | "frozen" | "deaf" = "whole"
  let lateMs = 0
  const late = () =>
    new Transform({
      transform: (piece, _encoding, pass) =>
        void (lateMs === 0 ? pass(null, piece) : setTimeout(() => pass(null, piece), lateMs))
    })
  const server = createServer((near) => {
    if (state === "cut") return void near.destroy()
    const far = connect(port, target.hostname)
    const pair = [near, far] as const
    pairs.add(pair)
    for (const [one, other] of [pair, [far, near] as const]) {
      one.on("error", () => other.destroy())
      one.on("close", () => {
        pairs.delete(pair)
        other.destroy()
      })
      one.pipe(late()).pipe(other)
      if (state === "frozen" || (state === "deaf" && one === far)) one.pause()
    }
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  const url = new URL(serverUrl)
  url.hostname = "127.0.0.1"
  url.port = String((server.address() as AddressInfo).port)
  const breakAll = (): void => {
    for (const [near, far] of pairs) {
      near.destroy()
      far.destroy()
    }
  }
  return {
    url: url.toString(),
    cut: () => {
      state = "cut"
      breakAll()
    },
    freeze: () => {
      state = "frozen"
      for (const pair of pairs) for (const socket of pair) socket.pause()
    },
    deafen: () => {
      state = "deaf"
      for (const [, far] of pairs) far.pause()
    },
    slow: (ms) => {
      lateMs = ms
    },
    mend: () => {
      state = "whole"
      lateMs = 0
      for (const pair of pairs) for (const socket of pair) socket.resume()
    },
    close: () => {
      server.close()
      breakAll()
    }
  }
}
