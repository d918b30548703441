/**
 * Finds where one msgpack value ends in bytes that arrive in chunks, without building it. Promises time linear in the bytes,
 * a bound on the size and depth of a value before anything is allocated for it, and that bytes which are no msgpack are said.
 */
import { Data } from "effect"

export interface FrameLimits {
  /** Bytes of one value. */
  readonly bytesMax: number
  /** Arrays and maps inside each other. */
  readonly depthMax?: number
}

/** The bytes are no msgpack, or a value is larger or deeper than it may be. */
export class BadFrame extends Data.TaggedError("BadFrame")<{ readonly message: string }> {}

export const badFrame = (message: string): BadFrame => new BadFrame({ message })

/** Bytes behind the type byte that hold a length, and bytes that follow whatever it says. */
const sized: ReadonlyMap<number, readonly [length: number, more: number]> = new Map([
  [0xc4, [1, 0]],
  [0xc5, [2, 0]],
  [0xc6, [4, 0]],
  [0xc7, [1, 1]],
  [0xc8, [2, 1]],
  [0xc9, [4, 1]],
  [0xd9, [1, 0]],
  [0xda, [2, 0]],
  [0xdb, [4, 0]]
])
/** Bytes of values whose type says them, type byte included. */
const fixed: ReadonlyMap<number, number> = new Map([
  [0xca, 5],
  [0xcb, 9],
  [0xcc, 2],
  [0xcd, 3],
  [0xce, 5],
  [0xcf, 9],
  [0xd0, 2],
  [0xd1, 3],
  [0xd2, 5],
  [0xd3, 9],
  [0xd4, 3],
  [0xd5, 4],
  [0xd6, 6],
  [0xd7, 10],
  [0xd8, 18]
])

/** What begins at `at`: how long it is without what it holds, and how many values it holds; undefined: more bytes are needed. */
const headAt = (bytes: Buffer, at: number): { readonly size: number; readonly inside: number } | undefined => {
  const type = bytes[at]
  if (type === undefined) return undefined
  if (type <= 0x7f || type >= 0xe0 || type === 0xc0 || type === 0xc2 || type === 0xc3) return { size: 1, inside: 0 }
  if (type <= 0x8f) return { size: 1, inside: (type & 0x0f) * 2 }
  if (type <= 0x9f) return { size: 1, inside: type & 0x0f }
  if (type <= 0xbf) return { size: 1 + (type & 0x1f), inside: 0 }
  const whole = fixed.get(type)
  if (whole !== undefined) return { size: whole, inside: 0 }
  const text = sized.get(type)
  if (text !== undefined) {
    const [length, more] = text
    if (at + 1 + length > bytes.length) return undefined
    return { size: 1 + length + more + bytes.readUIntBE(at + 1, length), inside: 0 }
  }
  if (type < 0xdc) throw badFrame(`expected msgpack, got the byte 0x${type.toString(16)}`)
  const length = type === 0xdc || type === 0xde ? 2 : 4
  if (at + 1 + length > bytes.length) return undefined
  return { size: 1 + length, inside: bytes.readUIntBE(at + 1, length) * (type >= 0xde ? 2 : 1) }
}

export class MsgpackFrames {
  private readonly bytesMax: number
  private readonly depthMax: number
  /** Holds `size` bytes; grows by doubling, so that bytes which come one by one cost no more than others. */
  private buffer: Buffer = Buffer.alloc(0)
  private size = 0
  /** How far the value under way was walked, and how many values are missing at each depth. */
  private at = 0
  private missing: Array<number> = [1]

  constructor({ bytesMax, depthMax = 32 }: FrameLimits) {
    this.bytesMax = bytesMax
    this.depthMax = depthMax
  }

  /** Bytes held of a value that is not whole yet. */
  get held(): number {
    return this.size
  }

  /** The values that this chunk completes, as bytes each. Throws BadFrame; the frames are of no use afterwards. */
  push(chunk: Buffer): Array<Buffer> {
    this.append(chunk)
    // What is known to be skipped needs no look.
    if (this.size < this.at) return []
    const values: Array<Buffer> = []
    let bytes = this.buffer.subarray(0, this.size)
    while (this.walk(bytes)) {
      values.push(bytes.subarray(0, this.at))
      bytes = bytes.subarray(this.at)
      this.at = 0
      this.missing = [1]
    }
    if (values.length > 0) {
      // The values lie in the old buffer.
      this.buffer = Buffer.from(bytes)
      this.size = bytes.length
    }
    return values
  }

  private append(chunk: Buffer): void {
    const size = this.size + chunk.length
    if (size > this.buffer.length) {
      const grown = Buffer.allocUnsafe(this.size === 0 ? size : Math.max(size, this.buffer.length * 2))
      this.buffer.copy(grown, 0, 0, this.size)
      this.buffer = grown
    }
    chunk.copy(this.buffer, this.size)
    this.size = size
  }

  /** Goes on with the value under way; whether it is whole. */
  private walk(bytes: Buffer): boolean {
    const { missing } = this
    while (missing.length > 0) {
      if (missing[missing.length - 1] === 0) {
        missing.pop()
        continue
      }
      const head = headAt(bytes, this.at)
      if (head === undefined) return false
      this.at += head.size
      // Each value inside is a byte at least.
      if (this.at + head.inside > this.bytesMax) {
        throw badFrame(`expected a message of at most ${this.bytesMax} bytes, got one of more`)
      }
      missing[missing.length - 1]!--
      if (head.inside > 0 && missing.push(head.inside) > this.depthMax) {
        throw badFrame(`expected at most ${this.depthMax} levels, got more`)
      }
    }
    return this.at <= bytes.length
  }
}
