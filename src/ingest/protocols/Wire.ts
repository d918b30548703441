/**
 * Walks messages in protobuf's wire format. Promises that a field never reaches beyond its message, that unknown fields are
 * passed over, and that reading costs time linear in the bytes. Broken bytes throw, within this folder only: whoever calls
 * catches.
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire"

const decodeUtf8 = (bytes: Uint8Array): string => (bytes as Buffer).toString("utf8")

/** A reader of these bytes. Text that is not UTF-8 is read with U+FFFD in place of what is wrong. */
export const readerOf = (bytes: Buffer): BinaryReader => new BinaryReader(bytes, decodeUtf8)

/** Where a message that stands at the reader's position ends; the reader then stands at its first field. */
export const messageEnd = (reader: BinaryReader, limit: number): number => {
  const length = reader.uint32()
  const end = reader.pos + length
  if (end > limit) throw new RangeError(`expected ${length} more bytes, got ${limit - reader.pos}`)
  return end
}

/**
 * Calls `visit` for each field up to `end`. It reads the field and says so, or leaves it: then it is passed over, as one
 * of another wire type than expected is too.
 */
export const eachField = (
  reader: BinaryReader,
  end: number,
  visit: (field: number, wire: WireType) => boolean
): void => {
  while (reader.pos < end) {
    const [field, wire] = reader.tag()
    if (!visit(field, wire)) reader.skip(wire, field)
    if (reader.pos > end) throw new RangeError(`field ${field} reaches beyond its message`)
  }
}

/** What `read` makes of bytes, or what is wrong with them. Errors without a trace: a body may hold a million of them. */
export const attempt = <A>(read: () => A): { readonly value: A } | { readonly fault: string } => {
  const traced = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return { value: read() }
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) }
  } finally {
    Error.stackTraceLimit = traced
  }
}

export const { Bit64, LengthDelimited, Varint } = WireType

/** An unsigned 64-bit number at the reader's position as ms of nanoseconds: whole ms and the fraction, to within 1 µs. */
export const nanosToMs = (reader: BinaryReader): number | undefined => {
  const nanos = BigInt(reader.fixed64())
  return nanos === 0n ? undefined : Number(nanos / 1_000_000n) + Number(nanos % 1_000_000n) / 1e6
}

/** A 64-bit number as JSON can hold it: a number where it is exact, else its digits. */
export const exact = (value: bigint | string | number): number | string => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}
