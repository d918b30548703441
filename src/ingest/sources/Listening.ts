/** What the listeners share: what is said when a port can't be listened on, and how a peer's address is written. */
import { Data } from "effect"

/** The port is taken, or the address is not of this host. */
export class ListenError extends Data.TaggedError("ListenError")<{
  readonly message: string
  readonly retryable: boolean
}> {}

export const cannotListen = (what: string, host: string, port: number, cause: Error): ListenError => {
  const taken = (cause as NodeJS.ErrnoException).code === "EADDRINUSE"
  return new ListenError({
    message: `${what}: expected an address and a free port to listen on, got ${host}:${port}: ${taken ? "it is taken" : cause.message}`,
    retryable: taken
  })
}

/** The address as people write it: a socket that listens on both families says ::ffff:10.0.0.1. */
export const plainAddress = (address: string | undefined): string => (address ?? "").replace(/^::ffff:(?=\d+\.)/u, "")
