/** Speaks to a protocol without a server: head and body in, events and answer out. */
import type { SentEvent } from "../../../src/domain/SentEvent.ts"
import { spoken } from "../../../src/ingest/all.ts"
import { type Asked, isSent, type Reply } from "../../../src/ingest/Protocol.ts"

export const megabyte = 1024 * 1024
export const now = Date.parse("2026-11-24T12:00:00Z")

export const ask = (method: string, url: string, headers: Record<string, string> = {}): Asked => {
  const { pathname, searchParams } = new URL(url, "http://localhost")
  return { method, path: pathname, query: searchParams, headers }
}

export interface Heard {
  readonly protocol: string
  readonly events: ReadonlyArray<SentEvent>
  readonly reply: Reply
}

/** What becomes of a request that gets in. A protocol takes it, or the test is wrong. */
export const send = (asked: Asked, body: string | Uint8Array, max = 64 * megabyte): Heard => {
  for (const protocol of spoken) {
    const door = protocol.door(asked)
    if (door === undefined) continue
    if (door.read === undefined) return { protocol: protocol.name, events: [], reply: door.reply! }
    const bytes = typeof body === "string" ? Buffer.from(body) : Buffer.from(body)
    const sent = door.read({ bytes, now, max })
    if (!isSent(sent)) return { protocol: protocol.name, events: [], reply: door.refuse(sent) }
    const events = [...sent.events].filter((event) => event !== undefined)
    return { protocol: protocol.name, events, reply: sent.accept() }
  }
  throw new Error(`expected a protocol that takes ${asked.method} ${asked.path}, got none`)
}

/** The event without what is undefined, as it travels. */
export const plain = (event: SentEvent | undefined): unknown => JSON.parse(JSON.stringify(event ?? null))

/** A snappy block that holds the bytes as they are. */
export const snappyLiteral = (bytes: Uint8Array): Buffer => {
  const parts: Array<Buffer> = []
  const varint: Array<number> = []
  for (let n = bytes.length; ; n = Math.floor(n / 128)) {
    varint.push(n < 128 ? n : (n % 128) | 128)
    if (n < 128) break
  }
  parts.push(Buffer.from(varint))
  for (let at = 0; at < bytes.length; at += 65_536) {
    const piece = bytes.subarray(at, at + 65_536)
    const head = Buffer.alloc(3)
    head[0] = 61 << 2
    head.writeUInt16LE(piece.length - 1, 1)
    parts.push(head, Buffer.from(piece))
  }
  return Buffer.concat(parts)
}
