/** The sockets of postgres.js. Promises connections that survive the end of another; what travels on them is left to its users. */
import { Socket } from "node:net"

/**
 * A socket that ends in a way postgres.js 3.4 survives. It flushes small messages with setImmediate: a flush that `close`
 * overtakes is never made, nor any after it, so that the connection would come back mute; and a query that is sent
 * between `error` and `close` is never answered. So both are told in one breath, and not before a waiting flush was made.
 */
class QuietSocket extends Socket {
  private failure: ReadonlyArray<unknown> | undefined
  private tell: (() => void) | undefined

  override emit(event: string | symbol, ...args: Array<unknown>): boolean {
    if (event === "error") {
      this.failure ??= args
      return true
    }
    if (event !== "close") return super.emit(event, ...args)
    this.tell = () => {
      this.tell = undefined
      if (this.failure !== undefined) super.emit("error", ...this.failure)
      super.emit("close", ...args)
    }
    setImmediate(() => setImmediate(() => this.tell?.()))
    return true
  }

  override write(...args: Array<unknown>): boolean {
    if (this.tell !== undefined) {
      // This is the flush, into the void. Ticks run before promises, so no other can be waiting by then.
      process.nextTick(() => this.tell?.())
      return true
    }
    // oxlint-disable-next-line typescript/unbound-method -- bound by apply; its overloads take no spread
    return Reflect.apply(super.write, this, args) as boolean
  }
}

/** What postgres.js takes as its option `socket`. */
export const openSocket = (options: { host: Array<string>; port: Array<number>; path?: string }): Socket => {
  const socket = new QuietSocket()
  // Nagle's delay would make the small messages of a statement wait for each other's acknowledgements.
  socket.setNoDelay(true)
  if (options.path) return socket.connect(options.path)
  // postgres.js leaves connecting to whoever makes the socket; writes wait inside it until it is connected.
  const host = options.host[0] ?? "localhost"
  // TLS takes the server's name from here.
  Object.assign(socket, { host })
  return socket.connect(options.port[0] ?? 5432, host)
}
