/**
 * Cuts a stream of lines into batches. Promises that the same lines give the same batches however they arrive, so that a
 * repeated request makes the same batch ids; time plays no part.
 */
import { createHash, randomBytes } from "node:crypto"
import type { LogBatch } from "./LogStream.ts"

/** At most this many lines travel in one batch. */
export const linesMax = 500
/** A batch is closed when it holds this many characters. */
export const charsMax = 256 * 1_024

export interface BatchCutter {
  /** Takes a line; returns the batch that it completed. */
  readonly push: (line: string) => LogBatch | undefined
  /** The rest, if any. */
  readonly end: () => LogBatch | undefined
}

/** Tells lines apart that came under the same key: a repetition that grew or changed must lose nothing. */
const digest = (lines: ReadonlyArray<string>): string => {
  const hash = createHash("sha1").update(`${lines.length}\n`)
  for (const line of lines) hash.update(line).update("\n")
  return hash.digest("base64url").slice(0, 12)
}

export interface CutOptions {
  /** Names the whole request: with the same key and the same lines the n-th batch has the same id. Without one, ids are random. */
  readonly key?: string | undefined
  /** The format of all lines, where it is known. */
  readonly format?: string | undefined
}

export const make = (project: string, receivedAt: number, { format, key }: CutOptions = {}): BatchCutter => {
  const root =
    key === undefined ? randomBytes(18) : createHash("sha256").update(`${project}\n${key}`).digest().subarray(0, 18)
  const prefix = Buffer.from(root).toString("base64url")
  let index = 0
  let lines: Array<string> = []
  let chars = 0
  const cut = (): LogBatch => {
    const batch = {
      id: `${prefix}.${index++}${key === undefined ? "" : `.${digest(lines)}`}`,
      project,
      receivedAt,
      lines,
      ...(format === undefined ? {} : { format })
    }
    lines = []
    chars = 0
    return batch
  }
  return {
    push: (line) => {
      lines.push(line)
      chars += line.length
      return lines.length >= linesMax || chars >= charsMax ? cut() : undefined
    },
    end: () => (lines.length > 0 ? cut() : undefined)
  }
}
