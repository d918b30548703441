/**
 * The page's one WebSocket. It says who it is, keeps the wanted topics subscribed, and after a broken connection comes
 * back with backoff and asks for what it missed (`after`), so that those who listen need not know that it was away. What
 * the data mean is left to the listeners.
 */
import { makeStore, type Store } from "./store.ts"

export type Topic = "tail" | "alerts" | "notifications" | "jobs"

export interface Connection {
  /** denied: the key was refused, and trying again would not help. */
  readonly phase: "connecting" | "ready" | "waiting" | "denied"
  /** When the next try begins, epoch ms; only while waiting. */
  readonly retryAt: number | null
}

/** What to do with a topic's messages. Data are newest last. */
export interface Listener<T> {
  readonly snapshot: (data: ReadonlyArray<T>) => void
  readonly event: (data: ReadonlyArray<T>) => void
  readonly skipped?: (count: number) => void
  readonly error?: (message: string) => void
}

interface Wanted {
  readonly project: string
  readonly query: string
  readonly listener: Listener<unknown>
  after: string | null
  /** No snapshot yet: events that come now belong to an earlier question. */
  fresh: boolean
}

interface ServerMessage {
  readonly type: "ready" | "snapshot" | "event" | "skipped" | "gap" | "error" | "pong"
  readonly after?: string
  readonly topic?: Topic
  readonly seq?: string
  readonly data?: ReadonlyArray<unknown>
  readonly count?: number
  readonly code?: string
  readonly message?: string
}

export interface LiveOptions {
  readonly url: string
  readonly key: string
  /** 0 to 1; spreads reconnections of many pages. */
  readonly random?: () => number
  readonly backoffBaseMs?: number
  readonly backoffCapMs?: number
  /** How often to ask whether the other side is there; silence of twice as long ends the connection. */
  readonly pingMs?: number
}

export interface Live {
  readonly connection: Store<Connection>
  readonly start: () => void
  readonly stop: () => void
  /** Ends the wait before the next try. */
  readonly retryNow: () => void
  /** Listens to a topic until the returned function is called; a later call for the same topic takes its place. */
  readonly subscribe: <T>(
    topic: Topic,
    what: { readonly project: string; readonly query?: string },
    listener: Listener<T>
  ) => () => void
}

/** Waiting time before try number `attempt` (from 0): doubles up to the cap, then between half and all of it. */
export const backoff = (attempt: number, baseMs: number, capMs: number, random: () => number): number => {
  const full = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 20))
  return full / 2 + (full / 2) * random()
}

const refusals = /unauth|forbidden|invalid_?key|denied/iu

/** The message of a frame, or null for what is none of ours. */
const decode = (frame: unknown): ServerMessage | null => {
  if (typeof frame !== "string") return null
  try {
    const value: unknown = JSON.parse(frame)
    return typeof value === "object" && value !== null && "type" in value ? (value as ServerMessage) : null
  } catch {
    return null
  }
}

export const makeLive = (options: LiveOptions): Live => {
  const { backoffBaseMs = 500, backoffCapMs = 15_000, key, pingMs = 20_000, random = Math.random, url } = options
  const connection = makeStore<Connection>({ phase: "connecting", retryAt: null })
  const wanted = new Map<Topic, Wanted>()
  let socket: WebSocket | null = null
  let attempt = 0
  let retryTimer: ReturnType<typeof setTimeout> | undefined
  let pingTimer: ReturnType<typeof setInterval> | undefined
  let heardAt = 0
  let running = false
  let askTimer: ReturnType<typeof setTimeout> | undefined

  const say = (message: unknown): void => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
  }
  const isReady = (): boolean => connection.get().phase === "ready"
  const ask = (topic: Topic, want: Wanted): void => {
    const { after, project, query } = want
    say({
      type: "subscribe",
      topic,
      project,
      ...(query === "" ? {} : { query }),
      ...(after === null ? {} : { after })
    })
  }

  /** Asks again for what could not be had. */
  const askFresh = (): void => {
    if (isReady()) for (const [topic, want] of wanted) if (want.fresh) ask(topic, want)
  }

  const deliver = (message: ServerMessage): void => {
    const want = message.topic === undefined ? undefined : wanted.get(message.topic)
    if (want === undefined) return
    if (message.type === "skipped") return want.listener.skipped?.(message.count ?? 0)
    if (message.type === "gap") {
      // With `after` a snapshot follows by itself; else it is asked for.
      if (message.after !== undefined || want.fresh) return
      want.after = null
      want.fresh = true
      return ask(message.topic!, want)
    }
    if (message.type === "event" && want.fresh) return
    want.after = message.seq ?? want.after
    if (message.type === "event") return want.listener.event(message.data ?? [])
    want.fresh = false
    want.listener.snapshot(message.data ?? [])
  }
  const complain = (message: ServerMessage): void => {
    const text = message.message ?? message.code ?? "The live connection reported an error."
    if (refusals.test(message.code ?? "") && !isReady()) {
      connection.set({ phase: "denied", retryAt: null })
      return
    }
    if (message.code === "unavailable") {
      clearTimeout(askTimer)
      askTimer = setTimeout(askFresh, backoffBaseMs * 4)
    }
    // Only the tail has something that can be wrong: its query.
    if (message.code === "invalid") wanted.get("tail")?.listener.error?.(text)
  }
  const hear = (message: ServerMessage): void => {
    heardAt = Date.now()
    if (message.type === "ready") {
      attempt = 0
      connection.set({ phase: "ready", retryAt: null })
      for (const [topic, want] of wanted) ask(topic, want)
    } else if (message.type === "error") complain(message)
    else if (message.type !== "pong") deliver(message)
  }

  const drop = (): void => {
    clearInterval(pingTimer)
    clearTimeout(askTimer)
    const old = socket
    socket = null
    if (old === null) return
    old.onopen = old.onmessage = old.onclose = null
    old.close()
  }
  const wait = (): void => {
    drop()
    if (!running || connection.get().phase === "denied") return
    const ms = backoff(attempt++, backoffBaseMs, backoffCapMs, random)
    connection.set({ phase: "waiting", retryAt: Date.now() + ms })
    retryTimer = setTimeout(connect, ms)
  }
  const connect = (): void => {
    clearTimeout(retryTimer)
    drop()
    connection.set({ phase: "connecting", retryAt: null })
    const next = new WebSocket(url)
    socket = next
    heardAt = Date.now()
    next.onopen = () => say({ type: "auth", key })
    next.onmessage = ({ data }) => {
      const message = decode(data)
      if (message !== null) hear(message)
    }
    next.onclose = wait
    pingTimer = setInterval(() => {
      if (Date.now() - heardAt > pingMs * 2) wait()
      else say({ type: "ping" })
    }, pingMs)
  }

  return {
    connection,
    start: () => {
      if (running) return
      running = true
      connect()
    },
    stop: () => {
      running = false
      clearTimeout(retryTimer)
      drop()
    },
    retryNow: () => {
      if (running && connection.get().phase === "waiting") connect()
    },
    subscribe: (topic, { project, query = "" }, listener) => {
      const want: Wanted = { project, query, listener: listener as Listener<unknown>, after: null, fresh: true }
      if (wanted.has(topic) && isReady()) say({ type: "unsubscribe", topic })
      wanted.set(topic, want)
      if (isReady()) ask(topic, want)
      return () => {
        if (wanted.get(topic) !== want) return
        wanted.delete(topic)
        if (isReady()) say({ type: "unsubscribe", topic })
      }
    }
  }
}
