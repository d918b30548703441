/**
 * Cuts lines into blocks as they are stored, and counts them by minute. Pure. Promises that a block's lines are neighbours
 * (one project, one day of arrival, ids without a gap) and that its row says of them nothing but what is so. A block is
 * closed when its signature is full or it has many lines.
 */
import { levels } from "../domain/Level.ts"
import type { LogEvent } from "../domain/LogEvent.ts"
import type { FieldNames } from "./FieldNames.ts"
import { SignatureBuilder, fullBits, serviceHash, templateHash, traceHash } from "./Signature.ts"

/** Lines of the largest block. */
const linesMax = 2_048
const dayMs = 86_400_000
const minuteMs = 60_000

/** A block as a statement takes it: `first_seq` counts from the first line of the load. */
export interface NewBlock {
  readonly project: string
  readonly first_seq: number
  readonly last_seq: number
  readonly lines: number
  readonly observed_from: string
  readonly observed_to: string
  readonly min_time: string
  readonly max_time: string
  readonly by_level: ReadonlyArray<number>
  /** The signature in base64. */
  readonly bits: string
}

/** A line in its stored form. */
export interface StoredLine {
  readonly project: string
  readonly observedAt: number
  readonly time: number
  readonly service: string
  readonly message: string
  readonly attributesJson: string
  readonly traceId: string | null
  readonly spanId: string | null
}

const iso = (ms: number): string => new Date(ms).toISOString()
const levelIndex = (event: LogEvent): number => Math.max(0, levels.indexOf(event.level))

/** Whether a template's id can be stored and found again. */
export const isTemplate = (id: number | undefined): id is number => Number.isSafeInteger(id) && id! > 0

/** Builds the blocks and minutes of one load, line by line. */
export class BlockCutter {
  readonly #signature: SignatureBuilder
  readonly #names: FieldNames
  readonly #blocks: Array<NewBlock> = []
  /** Project, day and minute → lines per level. */
  readonly #minutes = new Map<string, Array<number>>()
  #service = ""
  #hash = serviceHash("")
  #project = ""
  #day = Number.NaN
  #at = 0
  #lines = 0
  #observedFrom = 0
  #observedTo = 0
  #minTime = 0
  #maxTime = 0
  #byLevel: Array<number> = []
  #minute = Number.NaN
  #minuteCounts: Array<number> = []

  /** The signature's buffer and the names are shared by all loads of a process. */
  constructor(signature: SignatureBuilder, names: FieldNames) {
    this.#signature = signature
    this.#names = names
  }

  /** The next line; those of a project come one after the other. */
  add(line: StoredLine, event: LogEvent): void {
    const day = Math.floor(line.observedAt / dayMs)
    const other = line.project !== this.#project || day !== this.#day
    if (other || this.#lines >= linesMax || this.#signature.set >= fullBits) this.#close()
    if (other) this.#minute = Number.NaN
    if (this.#lines === 0) this.#open(line, day)
    const level = levelIndex(event)
    this.#lines++
    this.#byLevel[level]!++
    this.#observedFrom = Math.min(this.#observedFrom, line.observedAt)
    this.#observedTo = Math.max(this.#observedTo, line.observedAt)
    this.#minTime = Math.min(this.#minTime, line.time)
    this.#maxTime = Math.max(this.#maxTime, line.time)
    this.#count(line, day, level)
    this.#sign(line, event)
  }

  #open(line: StoredLine, day: number): void {
    this.#project = line.project
    this.#day = day
    this.#observedFrom = this.#observedTo = line.observedAt
    this.#minTime = this.#maxTime = line.time
    this.#byLevel = levels.map(() => 0)
  }

  #count(line: StoredLine, day: number, level: number): void {
    const minute = Math.floor(line.time / minuteMs)
    if (minute !== this.#minute) {
      this.#minute = minute
      const key = `${line.project} ${day} ${minute}`
      this.#minuteCounts = this.#minutes.get(key) ?? levels.map(() => 0)
      this.#minutes.set(key, this.#minuteCounts)
    }
    this.#minuteCounts[level]!++
  }

  #sign(line: StoredLine, event: LogEvent): void {
    const signature = this.#signature
    signature.addMessage(line.message)
    signature.add(this.#serviceHash(line.service))
    if (line.traceId !== null) signature.add(traceHash("trace_id", line.traceId))
    if (line.spanId !== null) signature.add(traceHash("span_id", line.spanId))
    if (isTemplate(event.template)) signature.add(templateHash(String(event.template)))
    this.#names.add(line.project, event.attributes, line.attributesJson, signature)
  }

  #serviceHash(service: string): number {
    if (service !== this.#service) {
      this.#service = service
      this.#hash = serviceHash(service)
    }
    return this.#hash
  }

  #close(): void {
    if (this.#lines === 0) return
    this.#blocks.push({
      project: this.#project,
      first_seq: this.#at,
      last_seq: this.#at + this.#lines - 1,
      lines: this.#lines,
      observed_from: iso(this.#observedFrom),
      observed_to: iso(this.#observedTo),
      min_time: iso(this.#minTime),
      max_time: iso(this.#maxTime),
      by_level: this.#byLevel,
      bits: Buffer.from(this.#signature.take().buffer).toString("base64")
    })
    this.#at += this.#lines
    this.#lines = 0
  }

  /** Ends the last block. */
  finish() {
    this.#close()
    const minutes = Array.from(this.#minutes, ([key, counts]) => {
      const [project, day, minute] = key.split(" ")
      return {
        project: project!,
        day: iso(Number(day) * dayMs).slice(0, 10),
        minute: iso(Number(minute) * minuteMs),
        ...Object.fromEntries(levels.map((level, index) => [level, counts[index]!]))
      }
    })
    return { blocks: this.#blocks, minutes }
  }
}
