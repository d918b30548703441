/**
 * Tables of comma, tab, semicolon or blank separated values. A row means something only under its header line, so a row is
 * read where the source's memory (or a project's custom format) has its columns; a row alone is a plain line. `headerOf`
 * tells a header, `rowOf` reads a row under it.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { cleanText, keysMax } from "./Clean.ts"
import { fromFields } from "./Fields.ts"
import type { Memory } from "./Parser.ts"
import { typed } from "./Scan.ts"
import { flowRow, isFlow } from "./vpc_flow.ts"

/** The cells of one row after RFC 4180: cells may be in quotes, a quote within is doubled. At most `keysMax` cells. */
export const cellsOf = (line: string, separator: string): ReadonlyArray<string> => {
  const cells: Array<string> = []
  let i = 0
  while (i <= line.length && cells.length < keysMax) {
    if (line.charCodeAt(i) === 34) {
      let end = i + 1
      let doubled = false
      while (end < line.length) {
        if (line.charCodeAt(end) === 34) {
          if (line.charCodeAt(end + 1) !== 34) break
          doubled = true
          end++
        }
        end++
      }
      const cell = line.slice(i + 1, end)
      cells.push(doubled ? cell.replaceAll('""', '"') : cell)
      const next = line.indexOf(separator, end)
      i = next === -1 ? line.length + 1 : next + 1
      continue
    }
    const next = line.indexOf(separator, i)
    const end = next === -1 ? line.length : next
    cells.push(line.slice(i, end))
    i = end + 1
  }
  return cells
}

/** Column names that a table of log lines has at least one of. */
const known =
  /^(?:@?time|timestamp|@timestamp|date|datetime|ts|level|severity|loglevel|message|msg|log|event|text|host|service|source|status|status_code|srcaddr|interface-id|account-id)$/iu
const name = /^[A-Za-z@_][\w .@/()#%-]{0,63}$/u

/** The columns that a line names, when it is the header of a table: names only, one of which log lines are known by. */
export const headerOf = (line: string): NonNullable<Memory["columns"]> | undefined => {
  if (line.length > 8192 || line.includes("=") || line.includes("{")) return undefined
  for (const separator of [",", "\t", ";", " "]) {
    if (!line.includes(separator)) continue
    const names = cellsOf(line, separator).map((cell) => cell.trim())
    if (names.length < 2 || (separator === " " && !isFlow(names))) continue
    if (new Set(names).size !== names.length || !names.every((cell) => name.test(cell))) continue
    if (separator === " " || names.some((cell) => known.test(cell))) return { kind: "csv", separator, names }
  }
  return undefined
}

/** The event of a row under its columns; undefined where the row has more or fewer cells than they are. */
export const rowOf = (columns: NonNullable<Memory["columns"]>, line: string, now: number): LogEvent | undefined => {
  if (columns.separator === " " && isFlow(columns.names)) return flowRow(columns.names, line, now)
  const cells = cellsOf(line, columns.separator)
  if (cells.length !== columns.names.length) return undefined
  const fields: Record<string, unknown> = {}
  for (const [index, column] of columns.names.entries()) {
    const cell = cells[index]!
    if (cell !== "" && column !== "__proto__") fields[cleanText(column)] = typed(cell)
  }
  return fromFields(fields, line, now)
}
