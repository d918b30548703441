/**
 * Syslog over TCP and UDP on one port. Promises bounded memory whatever is sent (message length, connections, bytes of
 * unfinished messages), that TCP senders are slowed down while the stream does not take more, and that a datagram which finds
 * no room is counted. Syslog has no acknowledgement: what stands in a socket's buffer when the process dies is lost.
 */
import { Effect, Metric, type Scope } from "effect"
import { createSocket } from "node:dgram"
import { createServer, type Socket } from "node:net"
import type { Admission } from "../../domain/Admission.ts"
import { Framer, type Message, messageMax, textOf } from "../protocols/syslog.ts"
import * as Gather from "./Gather.ts"
import { cannotListen, type ListenError, plainAddress } from "./Listening.ts"

export interface SyslogOptions {
  readonly host: string
  /** TCP and UDP. */
  readonly port: number
  readonly sink: Gather.Sink
  readonly admits: Admission
  /** Connections at once; one more is closed. */
  readonly connectionsMax?: number
  /** A connection that says nothing for so long is closed, ms. */
  readonly idleMs?: number
}

/** Bytes of unfinished messages over all connections; the one that goes beyond is closed. */
const unfinishedMax = 32 * 1_024 * 1_024
/** How often drops are told, ms. */
const tellMs = 10_000

const received = Metric.counter("syslog_messages_total", { description: "Syslog messages received." })
const dropped = Metric.counter("syslog_dropped_total", {
  description: "Datagrams that found no room, and connections that were refused."
})

/** Listens until the scope closes. */
export const listen = Effect.fnUntraced(function* (
  options: SyslogOptions
): Effect.fn.Return<void, ListenError, Scope.Scope> {
  const { admits, sink } = options
  const gather = yield* Gather.make({ name: "syslog", sink })
  const context = yield* Effect.context()
  const count = (metric: Metric.Counter<number>, n: number): void => metric.updateUnsafe(n, context)
  const drops = { count: 0, why: "" }
  const drop = (why: string): void => {
    drops.count++
    drops.why = why
    count(dropped, 1)
  }
  yield* Effect.forkScoped(
    Effect.suspend(() => {
      const { count: lost, why } = drops
      drops.count = 0
      return lost === 0 ? Effect.void : Effect.logWarning(`syslog: dropped ${lost} (${why}) in ${tellMs / 1_000} s`)
    }).pipe(Effect.delay(tellMs), Effect.forever)
  )
  const take = ({ cutFrom, text }: Message, peer: string, transport: "tcp" | "udp"): void => {
    count(received, 1)
    const attributes: Record<string, unknown> = { "network.peer.address": peer, "network.transport": transport }
    if (cutFrom !== undefined) Object.assign(attributes, { "log.truncated": true, "log.original_bytes": cutFrom })
    gather.add({ line: text, attributes }, text.length + 200)
  }
  yield* tcp(options, gather, take, drop)
  yield* udp(options, (bytes, peer) => {
    if (!admits(peer)) return drop("a sender that is not allowed")
    if (!gather.hasRoom()) return drop("datagrams while the stream does not take more")
    const text = textOf(bytes.length > messageMax ? bytes.subarray(0, messageMax) : bytes)
    if (text.trim() !== "") take(bytes.length > messageMax ? { text, cutFrom: bytes.length } : { text }, peer, "udp")
  })
})

const tcp = Effect.fnUntraced(function* (
  { admits, connectionsMax = 1_000, host, idleMs = 600_000, port }: SyslogOptions,
  gather: Gather.Gather,
  take: (message: Message, peer: string, transport: "tcp") => void,
  drop: (why: string) => void
) {
  const sockets = new Set<Socket>()
  let unfinished = 0
  const serve = (socket: Socket): void => {
    const peer = plainAddress(socket.remoteAddress)
    if (!admits(peer) || sockets.size >= connectionsMax) {
      drop(admits(peer) ? `connections beyond ${connectionsMax}` : "a sender that is not allowed")
      socket.destroy()
      return
    }
    const framer = new Framer()
    let held = 0
    const account = (now: number): void => {
      unfinished += now - held
      held = now
    }
    sockets.add(socket)
    socket.setTimeout(idleMs, () => socket.destroy())
    socket.on("data", (chunk: Buffer) => {
      for (const message of framer.push(chunk)) take(message, peer, "tcp")
      account(framer.held)
      if (unfinished > unfinishedMax) {
        drop("a connection amid too many unfinished messages")
        socket.destroy()
      } else if (!gather.hasRoom()) for (const one of sockets) one.pause()
    })
    socket.on("error", () => socket.destroy())
    socket.on("close", () => {
      for (const message of framer.end()) take(message, peer, "tcp")
      account(0)
      sockets.delete(socket)
    })
    if (!gather.hasRoom()) socket.pause()
  }
  gather.onRoom(() => {
    for (const one of sockets) one.resume()
  })
  const server = createServer({ noDelay: true, keepAlive: true }, serve)
  yield* Effect.callback<void, ListenError>((resume) => {
    server.once("error", (cause) => resume(Effect.fail(cannotListen("syslog TCP", host, port, cause))))
    server.listen(port, host, () => resume(Effect.void))
  })
  yield* Effect.addFinalizer(() =>
    Effect.callback<void>((resume) => {
      server.close(() => resume(Effect.void))
      for (const socket of sockets) socket.destroy()
    })
  )
})

const udp = Effect.fnUntraced(function* ({ host, port }: SyslogOptions, take: (bytes: Buffer, peer: string) => void) {
  const socket = createSocket({ type: host.includes(":") ? "udp6" : "udp4", reuseAddr: false })
  yield* Effect.addFinalizer(() => Effect.callback<void>((resume) => void socket.close(() => resume(Effect.void))))
  yield* Effect.callback<void, ListenError>((resume) => {
    socket.once("error", (cause) => resume(Effect.fail(cannotListen("syslog UDP", host, port, cause))))
    socket.bind(port, host, () => resume(Effect.void))
  })
  socket.on("error", () => {})
  socket.on("message", (bytes, from) => take(bytes, plainAddress(from.address)))
  // Bursts wait in the kernel; where it allows less, it takes what it may.
  try {
    socket.setRecvBufferSize(4 * 1_024 * 1_024)
  } catch {
    // The system's own size then.
  }
})
