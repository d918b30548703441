/** Lines as `docker compose logs` prints them: `name  | line`. The inner line is read by its own format. */
import { enveloped } from "./Envelope.ts"
import type { Parser } from "./Parser.ts"
import { plain } from "./plain.ts"

const head = /^([a-z][a-z0-9_.-]{0,63}) {1,32}\| ?(?=\S)/u
const dated = /^\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d/u

export const compose: Parser = {
  name: "compose",
  about: "docker compose logs: a container's name and a bar before each line",
  fields: "container.name",
  begins: "a",
  parse: (line, now, inner) => {
    if (inner === undefined || line.length > 2 ** 20) return undefined
    const bar = line.indexOf(" | ")
    const parts = bar === -1 || bar > 100 ? null : head.exec(line.slice(0, bar + 4))
    if (parts === null) return undefined
    const text = line.slice(parts[0].length)
    // Prose and tables have bars too: only what is a line of a format of its own, or has a time, is in an envelope.
    const read = inner(text, now) ?? (dated.test(text) ? plain.parse(inner.mask?.(text) ?? text, now) : undefined)
    if (read === undefined) return undefined
    const attributes = { "container.name": parts[1] }
    return enveloped(text, { service: parts[1], attributes }, now, () => read)
  }
}
