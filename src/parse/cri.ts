/**
 * Lines as container runtimes of Kubernetes write them: `<time> stdout F line`. The inner line is read by its own format;
 * the runtime's time wins, for it has a zone. A part of a split line (`P`) is marked with the attribute `log.partial`.
 */
import { enveloped } from "./Envelope.ts"
import type { Parser } from "./Parser.ts"
import { found as time, timeAt } from "./Time.ts"

export const cri: Parser = {
  name: "cri",
  about: "Kubernetes container runtimes (containerd, CRI-O), with the inner line's own format",
  fields: "log.iostream log.partial",
  begins: "0",
  parse: (line, now, inner) => {
    if (line.charCodeAt(10) !== 84) return undefined
    const stream = line.indexOf(" std", 19)
    if (stream < 19 || stream > 40 || !timeAt(line, 0, now) || time.end !== stream) return undefined
    const parts = /^ (stdout|stderr) ([FP])(?::\w{1,10})?(?: |$)/u.exec(line.slice(stream, stream + 24))
    if (parts === null) return undefined
    const attributes: Record<string, unknown> = { "log.iostream": parts[1] }
    if (parts[2] === "P") attributes["log.partial"] = true
    return enveloped(line.slice(stream + parts[0].length), { time: time.time, attributes }, now, inner)
  }
}
