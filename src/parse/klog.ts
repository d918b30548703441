/**
 * Google's glog and Kubernetes' klog: `I0505 17:59:40.692994   28133 klog.go:70] message`; structured klog messages
 * (`"text" key="value"`) give their pairs. The message is the part behind the bracket.
 */
import type { Level } from "../domain/Level.ts"
import { embedded } from "./Embedded.ts"
import { type Parser, event } from "./Parser.ts"
import { found as time, timeAt } from "./Time.ts"

const levels: Readonly<Record<string, Level>> = { I: "info", W: "warn", E: "error", F: "fatal", D: "debug" }
const head = /\s{1,16}(\d{1,10}) ([\w./+-]{1,120}):(\d{1,7})\] ?/uy

export const klog: Parser = {
  name: "klog",
  about: "klog and glog (Kubernetes and others)",
  fields: "thread.id code.file.path code.line.number",
  begins: "IWEFD",
  parse: (line, now) => {
    const second = line.charCodeAt(1)
    if (!(second >= 48 && second <= 57) || !timeAt(line, 0, now) || time.letter === 0) return undefined
    const at = time.time
    head.lastIndex = time.end
    const parts = head.exec(line)
    if (parts === null) return undefined
    const attributes: Record<string, unknown> = {
      "thread.id": Number(parts[1]),
      "code.file.path": parts[2],
      "code.line.number": Number(parts[3])
    }
    const message = line.slice(head.lastIndex)
    embedded(message, attributes)
    return event({ time: at, level: levels[line[0]!], message, attributes }, now)
  }
}
