/**
 * How one project's lines become events: its own formats first, then the built-in ones, then its masks. Pure and total: a
 * line is at least text, and nothing leaves that its redaction would have masked.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { defaultSettings, type ProjectSettings } from "../domain/ProjectSettings.ts"
import { parseLine } from "./all.ts"
import { compile } from "./Custom.ts"
import { formatOf } from "./FormatOf.ts"
import type { Memory, ParseContext, Parser } from "./Parser.ts"
import * as Redact from "./Redact.ts"

export interface Decoder {
  /**
   * Parses and redacts lines that arrived at `receivedAt` (epoch ms); `format` where all of them are known to have one,
   * `memory` where they are one source's in order: a file that begins with a header.
   */
  readonly lines: (
    lines: ReadonlyArray<string>,
    receivedAt: number,
    format?: string,
    memory?: Memory
  ) => Array<LogEvent>
  /** The name of the format that reads a line. */
  readonly formatOf: (line: string, receivedAt: number) => string
  readonly redactor: Redact.Redactor
}

/** What of the settings can't be used, and why. */
export interface SettingsFault {
  /** In dots: `redaction.custom.0.pattern`. */
  readonly path: string
  readonly fault: string
}

/** The parsers of a project's own formats; those that can't be used are told, and left out. */
const formatsOf = (specs: ProjectSettings["formats"]) => {
  const parsers: Array<Parser> = []
  const faults: Array<SettingsFault> = []
  for (const [index, spec] of specs.entries()) {
    const made = compile(spec)
    const path = `formats.${index}`
    if (!made.ok) faults.push({ path, fault: made.fault })
    else if (parsers.some(({ name }) => name === made.parser.name)) {
      faults.push({ path, fault: `expected each name once, got ${JSON.stringify(made.parser.name)} again` })
    } else parsers.push(made.parser)
  }
  return { parsers, faults }
}

/** The decoder of these settings. What can't be used is told, and left out. */
export const make = (
  settings: ProjectSettings
): { readonly decoder: Decoder; readonly faults: ReadonlyArray<SettingsFault> } => {
  const { faults, redactor } = Redact.make(settings.redaction)
  const formats = formatsOf(settings.formats)
  const custom = formats.parsers
  /** The text that was masked last, before it was taken apart: what was cut out of it needs no second look. */
  let masked: string | undefined
  const mask = (text: string): string => (masked = redactor.text(text))
  const lines: Decoder["lines"] = (all, receivedAt, format, memory) => {
    const context: ParseContext = {
      now: receivedAt,
      mask,
      ...(custom.length === 0 ? {} : { custom }),
      ...(format === undefined ? {} : { format }),
      ...(memory === undefined ? {} : { memory })
    }
    return all.map((line) => {
      masked = undefined
      const event = parseLine(line, context)
      return redactor.event(event, masked)
    })
  }
  return {
    decoder: { lines, formatOf: (line, receivedAt) => formatOf(line, receivedAt, custom), redactor },
    faults: [...faults.map(({ fault, index }) => ({ path: `redaction.custom.${index}`, fault })), ...formats.faults]
  }
}

/** The decoder of a project that has said nothing. */
export const byDefault: Decoder = make(defaultSettings).decoder
