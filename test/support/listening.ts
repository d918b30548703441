/** A listener of the product in the test's own process: a sink that keeps what it is given, and can be made to refuse. */
import { Effect, Exit, Scope } from "effect"
import { connect, type Socket } from "node:net"
import { freePort } from "../../scripts/launch/wire.mjs"
import type { SentEvent } from "../../src/domain/SentEvent.ts"
import type { Sink } from "../../src/ingest/sources/Gather.ts"

export interface Kept {
  readonly port: number
  readonly events: Array<SentEvent>
  /** The keys of all offers, also of those that were refused. */
  readonly keys: Array<string>
  /** Whether the sink takes anything. */
  open: boolean
  readonly lines: () => ReadonlyArray<string>
  readonly stop: () => Promise<void>
}

/** Starts a listener on a free port of loopback. A batch offered again under a key that was taken adds nothing. */
export const listening = async <E>(
  start: (given: {
    readonly host: string
    readonly port: number
    readonly sink: Sink
    readonly admits: () => boolean
  }) => Effect.Effect<void, E, Scope.Scope>
): Promise<Kept> => {
  const port: number = await freePort()
  const scope = Scope.makeUnsafe()
  const taken = new Set<string>()
  const kept: Kept = {
    port,
    events: [],
    keys: [],
    open: true,
    lines: () => kept.events.map((event) => event.line ?? ""),
    stop: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
  const sink: Sink = (events, key) =>
    Effect.suspend(() => {
      kept.keys.push(key)
      if (!kept.open) return Effect.fail({ message: "full" })
      if (!taken.has(key)) kept.events.push(...events)
      taken.add(key)
      return Effect.void
    })
  await Effect.runPromise(
    start({ host: "127.0.0.1", port, sink, admits: () => true }).pipe(Effect.provideService(Scope.Scope, scope))
  )
  return kept
}

/** A raw connection; its errors are part of the test. */
export const dial = (port: number): Promise<Socket> =>
  new Promise((done, failed) => {
    const socket = connect(port, "127.0.0.1", () => done(socket))
    socket.once("error", failed)
    socket.on("error", () => {})
  })

/** Resolves when the connection is over, however. */
export const over = (socket: Socket): Promise<void> =>
  new Promise((done) => {
    if (socket.closed) return done()
    socket.once("close", () => done())
    socket.resume()
  })
