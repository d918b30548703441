/** What the bytes of a file tell before anybody reads them as lines: encoding, line ends, the longest line. One pass, no copy. */
import { Readable } from "node:stream"
import type { FileMetadata } from "../../domain/LogFile.ts"

type Figures = Pick<FileMetadata, "bytes" | "encoding" | "lineEnds" | "endsWithLineEnd" | "longestLine" | "tooLong">

export interface ByteWatch {
  readonly add: (chunk: Uint8Array) => void
  readonly figures: () => Figures
}

const [lf, cr] = [10, 13]

const markOf = (head: ReadonlyArray<number>): FileMetadata["encoding"] | undefined => {
  const [a, b, c] = head
  if (a === 0xef && b === 0xbb && c === 0xbf) return "utf-8 with BOM"
  if (a === 0xff && b === 0xfe) return "utf-16le"
  if (a === 0xfe && b === 0xff) return "utf-16be"
  return undefined
}

/** `lineMax`: longer lines (bytes) are not read as lines. */
export const make = (lineMax: number): ByteWatch => {
  const decoder = new TextDecoder("utf-8", { fatal: true })
  const head: Array<number> = []
  let valid = true
  let ascii = true
  let bytes = 0
  let crlf = 0
  let ends = 0
  let line = 1
  let length = 0
  let before = 0
  let longest = { bytes: 0, line: 0 }
  let tooLong = 0
  const endLine = (): void => {
    if (length > longest.bytes) longest = { bytes: length, line }
    if (length > lineMax) tooLong++
  }
  const check = (chunk: Uint8Array, stream: boolean): void => {
    try {
      if (valid) decoder.decode(chunk, { stream })
    } catch {
      valid = false
    }
  }
  return {
    add: (chunk) => {
      for (let i = 0; head.length < 3 && i < chunk.length; i++) head.push(chunk[i]!)
      for (const byte of chunk) {
        if (byte > 127) ascii = false
        if (byte === lf) {
          ends++
          if (before === cr) {
            crlf++
            length--
          }
          endLine()
          line++
          length = 0
        } else length++
        before = byte
      }
      bytes += chunk.length
      check(chunk, true)
    },
    figures: () => {
      check(new Uint8Array(0), false)
      if (length > 0) endLine()
      return {
        bytes,
        encoding: markOf(head) ?? (!valid ? "mixed" : ascii ? "ascii" : "utf-8"),
        lineEnds: { lf: ends - crlf, crlf },
        endsWithLineEnd: before === lf,
        longestLine: longest,
        tooLong
      }
    }
  }
}

/** The same bytes, seen by `watch` as they pass. */
export const watched = (source: Readable, watch: ByteWatch): Readable =>
  Readable.from(
    (async function* () {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        watch.add(chunk)
        yield chunk
      }
    })(),
    { objectMode: false }
  )
