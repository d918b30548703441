/**
 * Reads Loki's PushRequest in protobuf. The frame (streams, and where each entry lies) is checked first, so that a cut body
 * is refused whole; a broken entry is rejected alone.
 */
import type { BinaryReader } from "@bufbuild/protobuf/wire"
import { eventsMax, type Refusal, tooMany } from "../Protocol.ts"
import type { Rejections } from "./Rejections.ts"
import { Attributes, type Json } from "./Values.ts"
import { attempt, eachField, LengthDelimited, messageEnd, readerOf, Varint } from "./Wire.ts"

export interface Entry {
  /** Of its stream, as sent. The same text for all entries of one. */
  readonly labels: string
  /** Epoch ms; undefined when none was sent. */
  readonly time: number | undefined
  readonly line: string
  /** Structured metadata. */
  readonly metadata: Json
}

const metadataPair = (reader: BinaryReader, end: number, into: Attributes): void => {
  let name = ""
  let value = ""
  eachField(reader, end, (field, wire) => {
    if (wire !== LengthDelimited || (field !== 1 && field !== 2)) return false
    if (field === 1) name = reader.string()
    else value = reader.string()
    return true
  })
  into.put(name, value)
}

/** google.protobuf.Timestamp as epoch ms. */
const timestamp = (reader: BinaryReader, end: number): number | undefined => {
  let seconds = 0
  let nanos = 0
  eachField(reader, end, (field, wire) => {
    if (wire !== Varint || (field !== 1 && field !== 2)) return false
    if (field === 1) seconds = Number(reader.int64())
    else nanos = reader.int32()
    return true
  })
  return seconds === 0 && nanos === 0 ? undefined : seconds * 1_000 + nanos / 1e6
}

const readEntry = (reader: BinaryReader, end: number, labels: string): Entry => {
  let time: number | undefined
  let line = ""
  const metadata = new Attributes()
  eachField(reader, end, (field, wire) => {
    if (wire !== LengthDelimited || field < 1 || field > 3) return false
    if (field === 2) line = reader.string()
    else {
      const inner = messageEnd(reader, end)
      if (field === 1) time = timestamp(reader, inner)
      else metadataPair(reader, inner, metadata)
    }
    return true
  })
  return { labels, time, line, metadata: metadata.end() }
}

/** Walks the frame: for each stream its labels, and between two calls of `entry` where the reader stands. */
const walk = (bytes: Buffer, entry: (reader: BinaryReader, end: number) => void): void => {
  const reader = readerOf(bytes)
  eachField(reader, bytes.length, (field, wire) => {
    if (field !== 1 || wire !== LengthDelimited) return false
    const end = messageEnd(reader, bytes.length)
    eachField(reader, end, (inner, type) => {
      if (inner !== 2 || type !== LengthDelimited) return false
      const stop = messageEnd(reader, end)
      entry(reader, stop)
      reader.pos = stop
      return true
    })
    return true
  })
}

class TooMany extends Error {}

/** How many entries there are, or why the request can't be taken. */
export const countEntries = (bytes: Buffer): number | Refusal => {
  let count = 0
  try {
    walk(bytes, () => {
      if (++count > eventsMax) throw new TooMany()
    })
    return count
  } catch (error) {
    if (error instanceof TooMany) return tooMany()
    const got = error instanceof Error ? error.message : String(error)
    return { reason: "malformed", message: `expected a push request in protobuf, got bytes that are none: ${got}` }
  }
}

/** The entries of a request whose frame is whole. Labels stand before or behind a stream's entries. */
export const readEntries = function* (bytes: Buffer, rejections: Rejections): Generator<Entry | undefined> {
  const reader = readerOf(bytes)
  let number = 0
  while (reader.pos < bytes.length) {
    const [field, wire] = reader.tag()
    if (field !== 1 || wire !== LengthDelimited) {
      reader.skip(wire, field)
      continue
    }
    const end = messageEnd(reader, bytes.length)
    const start = reader.pos
    let labels = ""
    eachField(reader, end, (inner, type) => {
      if (inner !== 1 || type !== LengthDelimited) return false
      labels = reader.string()
      return true
    })
    reader.pos = start
    while (reader.pos < end) {
      const [inner, type] = reader.tag()
      if (inner !== 2 || type !== LengthDelimited) {
        reader.skip(type, inner)
        continue
      }
      const stop = messageEnd(reader, end)
      number++
      const read = attempt(() => readEntry(reader, stop, labels))
      reader.pos = stop
      if ("fault" in read) rejections.add(number, `expected an entry, got bytes that are none: ${read.fault}`)
      yield "fault" in read ? undefined : read.value
    }
  }
}
