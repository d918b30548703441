/**
 * The log of the JVM itself, since Java 9: `[time][uptime][level][tags] GC(17) text`, any decorations that hold a level and
 * tags. Pauses give their length and the heap before and after. The text behind the brackets is the message.
 */
import { levelOfWord } from "./LevelWords.ts"
import { type Parser, event } from "./Parser.ts"
import { found as time, timeAt } from "./Time.ts"

const head =
  /^(?:\[([^\]]{4,40})\])?(?:\[(\d{1,9}[.,]\d{3})s\])?(?:\[\d{1,15}(?:ms|ns)\]){0,4}(?:\[(\d{1,10})\])?(?:\[(\d{1,10})\])?\[(trace|debug|info|warning|error) {0,4}\]\[([a-z0-9+,-]{2,60}) {0,20}\] /u
/** Others have a level and a word in brackets, too. */
const own = /\[(?:gc|safepoint)\b|\[\d{1,9}[.,]\d{3}s\]/u
const cycle = /^GC\((\d{1,9})\) /u
const heap = / (\d{1,9})([KMG])->(\d{1,9})([KMG])\((\d{1,9})([KMG])\)/u
const taken = / (\d{1,9}[.,]\d{1,6})ms$/u
const units: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }

export const jvm: Parser = {
  name: "jvm",
  about: "the JVM's own log (-Xlog): garbage collection and the like",
  fields: "jvm.log.tags jvm.gc.id duration_ms jvm.heap.before jvm.heap.after jvm.heap.size",
  begins: "[",
  parse: (line, now) => {
    if (!line.includes("][") || !own.test(line.slice(0, 120))) return undefined
    const parts = head.exec(line.slice(0, 240))
    if (parts === null) return undefined
    const [whole, stamp, uptime, pid, tid, level, tags] = parts
    const uptimeText = uptime ?? /^(\d{1,9}[.,]\d{3})s$/u.exec(stamp ?? "")?.[1]
    const dated = uptimeText !== undefined && stamp?.startsWith(uptimeText) === true ? undefined : stamp
    if (dated !== undefined && (!timeAt(line, 1, now) || line.charCodeAt(time.end) !== 93)) return undefined
    const at = dated === undefined ? undefined : time.time
    const message = line.slice(whole.length)
    const attributes: Record<string, unknown> = { "jvm.log.tags": tags }
    if (uptimeText !== undefined) attributes["jvm.uptime_s"] = Number(uptimeText.replace(",", "."))
    if (pid !== undefined) attributes["process.pid"] = Number(pid)
    if (tid !== undefined) attributes["thread.id"] = Number(tid)
    const gc = cycle.exec(message)
    if (gc !== null) attributes["jvm.gc.id"] = Number(gc[1])
    const end = message.length > 400 ? message.slice(-400) : message
    const sizes = heap.exec(end)
    if (sizes !== null) {
      for (const [index, name] of ["before", "after", "size"].entries()) {
        attributes[`jvm.heap.${name}`] = Number(sizes[index * 2 + 1]) * units[sizes[index * 2 + 2]!]!
      }
    }
    const pause = taken.exec(end)
    if (pause !== null) attributes["duration_ms"] = Number(pause[1]!.replace(",", "."))
    return event({ time: at, level: levelOfWord(level!), service: "jvm", message, attributes }, now)
  }
}
