/**
 * Listens for Fluentd, Fluent Bit and Docker's log driver (forward protocol). Promises that a chunk is acknowledged only after
 * the sink has its events, that a connection is read no further meanwhile, and bounded memory whatever is sent: a sender that
 * breaks the protocol is told in the log and cut off. A chunk that is sent again after a lost acknowledgement adds nothing.
 */
import { Effect, Metric, type Scope } from "effect"
import { createHash, randomBytes, randomUUID } from "node:crypto"
import { createServer, type Socket } from "node:net"
import { hostname } from "node:os"
import type { Admission } from "../../domain/Admission.ts"
import { ack, helo, messageMax, pong, read, readMessage } from "../protocols/forward.ts"
import { BadFrame, badFrame, MsgpackFrames } from "../protocols/MsgpackFrames.ts"
import { patience, type Sink } from "./Gather.ts"
import { cannotListen, type ListenError, plainAddress } from "./Listening.ts"

export interface ForwardOptions {
  readonly host: string
  readonly port: number
  readonly sink: Sink
  readonly admits: Admission
  /** Senders must know it; without one everybody who may connect may send. */
  readonly sharedKey?: string | undefined
  /** Connections at once; one more is closed. */
  readonly connectionsMax?: number
  /** A connection that says nothing for so long is closed, ms. */
  readonly idleMs?: number
}

/** Bytes of unfinished messages over all connections; the one that goes beyond is closed. */
const unfinishedMax = 128 * 1_024 * 1_024
/** Time that a sender has to prove that it knows the key, ms. */
const handshakeMs = 10_000

const received = Metric.counter("forward_events_total", { description: "Events received by the forward protocol." })
const refused = Metric.counter("forward_refused_total", {
  description: "Connections closed: not allowed or not understood."
})

interface Shared {
  readonly sockets: Set<Socket>
  unfinished: number
}

/** Serves one connection until it ends; fails with why it was cut off. */
const serve = Effect.fnUntraced(function* (socket: Socket, options: ForwardOptions, shared: Shared) {
  const { sharedKey, sink } = options
  const frames = new MsgpackFrames({ bytesMax: messageMax })
  const peer = plainAddress(socket.remoteAddress)
  const nonce = randomBytes(16)
  let trusted = sharedKey === undefined
  if (!trusted) socket.write(helo(nonce))
  const deadline = setTimeout(() => trusted || socket.destroy(), handshakeMs)
  let held = 0
  const account = (now: number): void => {
    shared.unfinished += now - held
    held = now
  }
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const attempt = <A>(run: () => A): Effect.Effect<A, BadFrame> =>
    Effect.try({ try: run, catch: (error) => (error instanceof BadFrame ? error : badFrame(String(error))) })

  const take = Effect.fnUntraced(function* (bytes: Buffer) {
    const message = yield* attempt(() => read(bytes))
    if (!trusted) {
      const { answer, ok } = pong(message, { sharedKey: sharedKey ?? "", nonce, hostname: hostname() })
      socket.write(answer)
      if (!ok) return yield* badFrame("expected the shared key, got another")
      trusted = true
      return
    }
    const forwarded = yield* attempt(() => readMessage(message))
    if (forwarded === undefined) return
    const { chunk, events } = forwarded
    const marked = events.map((event) => ({
      ...event,
      attributes: { ...event.attributes, "network.peer.address": peer }
    }))
    // A chunk's own name and its bytes: a sender that was not told in time sends both again.
    const key =
      chunk === undefined
        ? randomUUID()
        : `${chunk}.${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}`
    if (marked.length > 0) yield* sink(marked, `forward.${key}`).pipe(Effect.retry(patience))
    yield* Metric.update(received, marked.length)
    if (chunk !== undefined && socket.writable) socket.write(ack(chunk))
  })

  yield* Effect.gen(function* () {
    for (;;) {
      const step = yield* Effect.tryPromise({ try: () => chunks.next(), catch: () => undefined }).pipe(
        Effect.orElseSucceed(() => ({ done: true as const, value: undefined }))
      )
      if (step.done === true) return
      const values = yield* attempt(() => frames.push(step.value))
      account(frames.held)
      if (shared.unfinished > unfinishedMax) return yield* badFrame("too many unfinished messages")
      for (const value of values) yield* take(value)
    }
  }).pipe(
    Effect.tapError((error) =>
      Effect.andThen(
        Metric.update(refused, 1),
        Effect.logWarning(`forward: closed the connection of ${peer}: ${error.message}`)
      )
    ),
    Effect.ensuring(
      Effect.sync(() => {
        clearTimeout(deadline)
        account(0)
        shared.sockets.delete(socket)
        // A refusal that was written is still sent.
        socket.end()
        setTimeout(() => socket.destroy(), 1_000).unref()
      })
    ),
    Effect.ignore
  )
})

/** Listens until the scope closes. */
export const listen = Effect.fnUntraced(function* (
  options: ForwardOptions
): Effect.fn.Return<void, ListenError, Scope.Scope> {
  const { admits, connectionsMax = 200, host, idleMs = 600_000, port } = options
  const shared: Shared = { sockets: new Set(), unfinished: 0 }
  const scope = yield* Effect.scope
  const context = yield* Effect.context()
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    socket.on("error", () => socket.destroy())
    if (!admits(plainAddress(socket.remoteAddress)) || shared.sockets.size >= connectionsMax) {
      refused.updateUnsafe(1, context)
      socket.destroy()
      return
    }
    shared.sockets.add(socket)
    socket.setTimeout(idleMs, () => socket.destroy())
    Effect.runForkWith(context)(Effect.forkIn(serve(socket, options, shared), scope))
  })
  yield* Effect.callback<void, ListenError>((resume) => {
    server.once("error", (cause) => resume(Effect.fail(cannotListen("forward", host, port, cause))))
    server.listen(port, host, () => resume(Effect.void))
  })
  yield* Effect.addFinalizer(() =>
    Effect.callback<void>((resume) => {
      server.close(() => resume(Effect.void))
      for (const socket of shared.sockets) socket.destroy()
    })
  )
})
