/** Which format reads a line, by name; for those who count formats rather than read events. */
import { innerOf, parsers } from "./all.ts"
import { cleanText } from "./Clean.ts"
import type { Parser } from "./Parser.ts"

/** `plain` where no other format knows the line; `custom` are asked first. `now` is the time of arrival, epoch ms. */
export const formatOf = (line: string, now: number, custom: ReadonlyArray<Parser>): string => {
  const text = cleanText(line)
  const reads = (parser: Parser): boolean => parser.parse(text, now, innerOf(custom)) !== undefined
  return (custom.find(reads) ?? parsers.find(reads))?.name ?? "plain"
}
