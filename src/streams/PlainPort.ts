/**
 * Sees where a port that should speak TLS does not: such a server waits for more of what it takes for a command, so that nothing
 * but a time limit would end the handshake. Promises to ask only where the handshake takes long, and to try on all the same.
 */
import type { Redis as IORedis } from "ioredis"
import { connect } from "node:net"

/** A handshake that takes longer is looked into, ms. */
const patienceMs = 500
/** How long a server that speaks without TLS has to say so, ms. */
const answerMs = 1_000

/** Whether a port answers the way Redis does, without TLS. */
const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, host)
    const end = (plain: boolean) => {
      socket.destroy()
      resolve(plain)
    }
    socket.setTimeout(answerMs, () => end(false))
    socket.on("connect", () => socket.write("PING\r\n"))
    socket.on("data", (data) => end(/^[+-]/u.test(String(data))))
    socket.on("error", () => end(false))
    socket.on("close", () => end(false))
  })

/** Watches each try of a TLS client to connect; `found` is told, and what waits for the connection fails soon. */
export const watch = (client: IORedis, found: (fault: Error) => void): void => {
  const { host = "127.0.0.1", port = 6379 } = client.options
  client.on("connecting", () => {
    setTimeout(() => {
      if (client.status !== "connecting") return
      void answers(host, port).then((plain) => {
        if (!plain || client.status !== "connecting") return
        found(new Error(`port ${port} of ${host} answers without TLS: expected redis:// in the URL, or another port`))
        client.disconnect(true)
      })
    }, patienceMs).unref()
  })
}
