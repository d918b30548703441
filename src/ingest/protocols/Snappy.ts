/**
 * Unpacks snappy's block format. The unpacked length that a block tells is checked against the limit, and against what the
 * packed bytes can hold at all, before a byte of it is made room for. Never throws, always ends; time is linear in both.
 */
import type { Refusal } from "../Protocol.ts"

/** A copy of two or three bytes makes 64 of them at most: no block is packed better. */
const ratioMax = 32

/** The unpacked length that a block tells, and where its elements begin; undefined when it tells none. */
const headOf = (bytes: Uint8Array): { readonly length: number; readonly start: number } | undefined => {
  let length = 0
  for (let i = 0; i < 5 && i < bytes.length; i++) {
    length += (bytes[i]! & 0x7f) * 2 ** (7 * i)
    if (bytes[i]! < 0x80) return length <= 0xffffffff ? { length, start: i + 1 } : undefined
  }
  return undefined
}

/** Fills `out` from the elements that begin at `at`; whether they fill it exactly. */
const unpack = (from: Buffer, at: number, out: Buffer): boolean => {
  let to = 0
  while (at < from.length) {
    const tag = from[at++]!
    const kind = tag & 3
    let length = (tag >>> 2) + 1
    if (kind === 0) {
      const more = length - 60
      if (more > 0) {
        if (at + more > from.length) return false
        length = from.readUIntLE(at, more) + 1
        at += more
      }
      if (at + length > from.length || to + length > out.length) return false
      if (length > 16) from.copy(out, to, at, at + length)
      else for (let i = 0; i < length; i++) out[to + i] = from[at + i]!
      at += length
    } else {
      const width = kind === 3 ? 4 : kind
      if (at + width > from.length) return false
      let offset = from.readUIntLE(at, width)
      if (kind === 1) {
        offset += (tag >>> 5) << 8
        length = 4 + ((tag >>> 2) & 7)
      }
      at += width
      if (offset === 0 || offset > to || to + length > out.length) return false
      // Byte by byte: a copy may reach into what it writes.
      for (let i = to, end = to + length; i < end; i++) out[i] = out[i - offset]!
    }
    to += length
  }
  return to === out.length
}

/** The unpacked bytes, at most `max`, or why there are none. */
export const unpackSnappy = (bytes: Buffer, max: number): Buffer | Refusal => {
  if (bytes.length === 0) return bytes
  const head = headOf(bytes)
  if (head === undefined || head.length > bytes.length * ratioMax) {
    return { reason: "malformed", message: "expected a snappy block, got bytes that are none" }
  }
  if (head.length > max) {
    return {
      reason: "too large",
      message: `expected at most ${max} bytes unpacked, got ${head.length}: send smaller requests`
    }
  }
  const out = Buffer.allocUnsafe(head.length)
  return unpack(bytes, head.start, out)
    ? out
    : { reason: "malformed", message: "expected a snappy block, got a broken one" }
}
