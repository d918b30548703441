/**
 * Reads an ExportLogsServiceRequest in protobuf. The frame (resources, scopes, where each record lies) is checked first, so
 * that a cut body is refused whole; the records are then read one by one, and a broken one is rejected alone.
 */
import type { BinaryReader } from "@bufbuild/protobuf/wire"
import type { SentEvent } from "../../domain/SentEvent.ts"
import { depthMax } from "../../parse/Clean.ts"
import { eventsMax, type Refusal, tooMany } from "../Protocol.ts"
import { eventOf, type Origin, originOf, type OtlpRecord } from "./OtlpRecord.ts"
import type { Rejections } from "./Rejections.ts"
import { Attributes, bounded, hexOfBytes, type Json } from "./Values.ts"
import { attempt, Bit64, eachField, exact, LengthDelimited, messageEnd, nanosToMs, readerOf, Varint } from "./Wire.ts"

/** Elements of one array that are kept. */
const elementsMax = 1_000

const special = (value: number): unknown => (Number.isFinite(value) ? value : String(value))

const arrayValue = (reader: BinaryReader, end: number, depth: number): Array<unknown> => {
  const values: Array<unknown> = []
  eachField(reader, end, (field, wire) => {
    if (field !== 1 || wire !== LengthDelimited || values.length >= elementsMax) return false
    values.push(anyValue(reader, messageEnd(reader, end), depth + 1) ?? null)
    return true
  })
  return values
}

/** The value up to `end`; undefined when none is set. Deeper than `depthMax` only its kind is told. */
const anyValue = (reader: BinaryReader, end: number, depth: number): unknown => {
  let value: unknown
  eachField(reader, end, (field, wire) => {
    if (wire === LengthDelimited) {
      if (field === 1) value = reader.string()
      else if (field === 7) value = Buffer.from(reader.bytes()).toString("base64")
      else if (field === 5 || field === 6) {
        if (depth >= depthMax) {
          value = field === 5 ? "[…]" : "{…}"
          return false
        }
        const inner = messageEnd(reader, end)
        value = field === 5 ? arrayValue(reader, inner, depth) : keyValues(reader, inner, 1, depth + 1)
      } else return false
      return true
    }
    if (wire === Varint && field === 2) value = reader.bool()
    else if (wire === Varint && field === 3) value = exact(reader.int64())
    else if (wire === Bit64 && field === 4) value = special(reader.double())
    else return false
    return true
  })
  return value
}

/** One KeyValue into `into`. */
const keyValue = (reader: BinaryReader, end: number, into: Attributes, depth: number): void => {
  let name = ""
  let value: unknown
  eachField(reader, end, (field, wire) => {
    if (wire !== LengthDelimited) return false
    if (field === 1) name = reader.string()
    else if (field === 2) value = anyValue(reader, messageEnd(reader, end), depth)
    else return false
    return true
  })
  into.put(name, value ?? "")
}

/** The KeyValues that stand in field `number` of the message up to `end`. */
const keyValues = (reader: BinaryReader, end: number, number: number, depth: number): Json => {
  const into = new Attributes()
  eachField(reader, end, (field, wire) => {
    if (field !== number || wire !== LengthDelimited) return false
    keyValue(reader, messageEnd(reader, end), into, depth)
    return true
  })
  return into.end()
}

const readRecord = (reader: BinaryReader, end: number): OtlpRecord => {
  let time: number | undefined
  let observed: number | undefined
  let severityNumber = 0
  let severityText = ""
  let body: unknown
  let traceId: string | undefined
  let spanId: string | undefined
  let eventName = ""
  const attributes = new Attributes()
  eachField(reader, end, (field, wire) => {
    if (wire === LengthDelimited) {
      if (field === 3) severityText = reader.string()
      else if (field === 5) body = anyValue(reader, messageEnd(reader, end), 0)
      else if (field === 6) keyValue(reader, messageEnd(reader, end), attributes, 1)
      else if (field === 9) traceId = hexOfBytes(reader.bytes(), 16)
      else if (field === 10) spanId = hexOfBytes(reader.bytes(), 8)
      else if (field === 12) eventName = reader.string()
      else return false
      return true
    }
    if (wire === Bit64 && field === 1) time = nanosToMs(reader)
    else if (wire === Bit64 && field === 11) observed = nanosToMs(reader)
    else if (wire === Varint && field === 2) severityNumber = reader.int32()
    else return false
    return true
  })
  return {
    time: time ?? observed,
    severityNumber,
    severityText,
    body,
    attributes: attributes.end(),
    traceId,
    spanId,
    eventName
  }
}

/** InstrumentationScope: name, version, attributes. */
const readScope = (reader: BinaryReader, end: number): Parameters<typeof originOf>[1] => {
  const start = reader.pos
  let name = ""
  let version = ""
  eachField(reader, end, (field, wire) => {
    if (wire !== LengthDelimited) return false
    if (field === 1) name = reader.string()
    else if (field === 2) version = reader.string()
    else return false
    return true
  })
  reader.pos = start
  return { name, version, attributes: keyValues(reader, end, 3, 1) }
}

/** Start and end of each message that stands in field `number` up to `end`; [start, end, start, end, …]. */
const spans = (reader: BinaryReader, end: number, number: number): Array<number> => {
  const found: Array<number> = []
  eachField(reader, end, (field, wire) => {
    if (field !== number || wire !== LengthDelimited) return false
    const stop = messageEnd(reader, end)
    if (found.length >= 2 * eventsMax) throw new TooMany()
    found.push(reader.pos, stop)
    reader.pos = stop
    return true
  })
  return found
}

class TooMany extends Error {}

/** The records of one scope: where they lie, and what they share. */
interface ScopeRecords {
  readonly reader: BinaryReader
  readonly records: ReadonlyArray<number>
  /** Reads resource and scope; throws where they are broken. */
  readonly origin: () => Origin
}

/** Walks the frame's three floors. A resource is read once at most, when its first record is; it may stand behind its scopes. */
const walk = function* (bytes: Buffer): Generator<ScopeRecords> {
  const reader = readerOf(bytes)
  const resources = spans(reader, bytes.length, 1)
  for (let r = 0; r < resources.length; r += 2) {
    const inside = (start: number, end: number, number: number): Array<number> => {
      reader.pos = start
      return spans(reader, end, number)
    }
    const resource = inside(resources[r]!, resources[r + 1]!, 1)
    const scopes = inside(resources[r]!, resources[r + 1]!, 2)
    let shared: Json | undefined
    const ofResource = (): Json => {
      let attributes: Json = {}
      const end = resource.at(-1)
      if (end !== undefined) {
        reader.pos = resource.at(-2)!
        attributes = keyValues(reader, end, 1, 1)
      }
      return bounded(attributes)
    }
    for (let s = 0; s < scopes.length; s += 2) {
      const scope = inside(scopes[s]!, scopes[s + 1]!, 1)
      const origin = (): Origin => {
        shared ??= ofResource()
        reader.pos = scope.at(-2) ?? 0
        return originOf(shared, readScope(reader, scope.at(-1) ?? 0))
      }
      yield { reader, origin, records: inside(scopes[s]!, scopes[s + 1]!, 2) }
    }
  }
}

/** What is wrong with the request's frame, if anything is. */
export const faultOf = (bytes: Buffer): Refusal | undefined => {
  try {
    let count = 0
    for (const { records } of walk(bytes)) count += records.length / 2
    return count > eventsMax ? tooMany() : undefined
  } catch (error) {
    if (error instanceof TooMany) return tooMany()
    const got = error instanceof Error ? error.message : String(error)
    return {
      reason: "malformed",
      message: `expected an ExportLogsServiceRequest in protobuf, got bytes that are none: ${got}`
    }
  }
}

/** The events of a request whose frame is whole. */
export const readRecords = function* (bytes: Buffer, rejections: Rejections): Generator<SentEvent | undefined> {
  let number = 0
  for (const { origin, reader, records } of walk(bytes)) {
    if (records.length === 0) continue
    const from = attempt(origin)
    for (let i = 0; i < records.length; i += 2) {
      number++
      const read =
        "fault" in from
          ? from
          : attempt(() => {
              reader.pos = records[i]!
              return eventOf(readRecord(reader, records[i + 1]!), from.value)
            })
      if ("fault" in read) rejections.add(number, `expected a LogRecord, got bytes that are none: ${read.fault}`)
      yield "fault" in read ? undefined : read.value
    }
  }
}
