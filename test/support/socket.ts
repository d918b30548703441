/** A WebSocket client that remembers everything it heard. */
import { WebSocket } from "ws"
import type { App } from "./app.ts"
import { eventually } from "./eventually.ts"

export interface Message {
  readonly type: string
  readonly topic?: string
  readonly seq?: string
  readonly code?: string
  readonly message?: string
  readonly count?: number
  readonly data?: ReadonlyArray<Record<string, unknown>>
}

export interface Socket {
  readonly heard: ReadonlyArray<Message>
  readonly send: (message: unknown) => void
  /** The first message, heard already or to come, that fits. */
  readonly next: (what: string, fits: (message: Message) => boolean) => Promise<Message>
  /** When a message that fits came, by performance.now(): noted as it is heard. */
  readonly when: (fits: (message: Message) => boolean) => Promise<number>
  readonly closed: Promise<number>
  readonly close: () => void
}

/** Opens `/live`; with `key: undefined` nothing is said of who asks. */
export const openSocket = (app: Pick<App, "url">, key: string | undefined, query = ""): Promise<Socket> =>
  new Promise((done, failed) => {
    const socket = new WebSocket(`${app.url.replace("http", "ws")}/live${query}`, {
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` }
    })
    const heard: Array<Message> = []
    const waiting = new Map<(message: Message) => boolean, (at: number) => void>()
    const closed = new Promise<number>((end) => socket.on("close", end))
    socket.on("message", (raw) => {
      const message = JSON.parse((raw as Buffer).toString()) as Message
      heard.push(message)
      for (const [fits, tell] of waiting) if (fits(message)) tell(performance.now())
    })
    socket.on("error", failed)
    socket.on("open", () =>
      done({
        heard,
        send: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
        next: (what, fits) => eventually(what, () => heard.find(fits)),
        when: (fits) => new Promise<number>((tell) => waiting.set(fits, tell)).finally(() => waiting.delete(fits)),
        closed,
        close: () => socket.close()
      })
    )
  })
