/**
 * Any line. Finds its time, its level and who wrote it where loggers put them, and keeps the whole line as the message,
 * so that whatever is in it can be searched. The last format of the family: it never refuses.
 */
import type { Level } from "../domain/Level.ts"
import { embedded } from "./Embedded.ts"
import { levelOfStatus } from "./Http.ts"
import { beforeTime as headOf, laidOut, untimed } from "./Layouts.ts"
import { isException, levelInHeader, levelInPair, word } from "./LevelWords.ts"
import { type Found, type Total, event } from "./Parser.ts"
import { stackOf } from "./Stack.ts"
import { trailing } from "./Trailing.ts"
import { traces } from "./Traces.ts"
import { found as time, timeAt, timeOfLine } from "./Time.ts"

const letterLevels: Readonly<Record<string, Level>> = {
  V: "trace",
  T: "trace",
  D: "debug",
  I: "info",
  N: "info",
  W: "warn",
  E: "error",
  F: "fatal",
  C: "fatal",
  A: "fatal"
}

/**
 * Headers are looked for in this much of a line: whoever wrote the rest of it must not be able to make the look costly.
 */
const maxHead = 1024

// Tried where their first characters allow, each anchored (sticky). No two neighbouring repetitions may match the same
// character, else a run of it costs its square: padding around a captured part is trimmed off it afterwards.
const android = /\s{1,16}(\d{1,7})\s{1,16}(\d{1,7})\s{1,16}([VDIWEF])\s{1,16}([^\s:][^:]{0,119}):/uy
const logcat = /([VDIWEF])\/([^(:]{1,120})(?:\(\s{0,16}\d{1,10}\))?:/uy
const ruby = /([DIWEFA]), $/u
const thread = /\s{1,64}\[([^\]]{1,300})\]/uy
/** Logback's and log4net's `[thread] LEVEL`. */
const threadBefore = /^ \[([^\][]{1,120})\] {1,3}$/u
const named = /\s{0,64}(?:[:|-]\s{1,64})?([A-Za-z_$][\w.$/@-]{0,120}(?:\[[^\]]{0,40}\])?)\s{0,64}(?::(?=\s|$)|\s-\s)/uy
const column = /[,:]?[ \t]{1,64}([A-Za-z][\w.$/-]{0,60})(?:[ ]{2,64}|\t)(?=\S)/uy
const bars = /\s{0,64}\|([^|]{0,160})\|(?:([^|]{0,160})\|)?/uy
const facility = /([A-Z][A-Z_]{1,30})\s$/u
/** Numbered rows of a cluster's console: number, node, component, state, epoch seconds, flag. */
const row = /^\d{1,12} \S{1,80} (\S{1,80}) (\S{1,80}) (\d{10}) -?[01] /u
const redis = / ([.*#-]) /uy
const redisLevels: Readonly<Record<string, Level>> = { ".": "debug", "-": "info", "*": "info", "#": "warn" }
const sticky = (pattern: RegExp, line: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at
  return pattern.exec(line)
}

/** `thread` and `service` behind the level: Log4j's `[thread] class:` and its relatives, or a column of its own. */
const behindLevel = (line: string, at: number, found: Found): void => {
  let from = at
  if (line.charCodeAt(from) === 93) from++
  const inBrackets = sticky(thread, line, from)
  if (inBrackets !== null) from = thread.lastIndex
  const by = sticky(named, line, from) ?? (inBrackets === null ? sticky(column, line, from) : null)
  if (by === null) return
  found.service = by[1]
  if (inBrackets !== null) found.attributes["thread.name"] = inBrackets[1]
}

const barred = (line: string, at: number, found: Found): void => {
  const parts = sticky(bars, line, at)
  if (parts === null) return
  const withLevel = levelInHeader(line, at, false) && word.end <= at + parts[0].length
  if (withLevel) found.level = word.level
  const service = (withLevel ? parts[2] : parts[1])?.trim()
  if (service !== undefined && service !== "") found.service = service
}

/** `host program[pid]` behind the time, as programs that write their own files in syslog's manner have it. */
const program = / ([\w.-]{1,255}) ([\w./-]{1,64})\[(\d{1,10})\]:? /uy

/** A second stamp in brackets that only has more digits: its fraction is the line's. */
const finer = (line: string, now: number): void => {
  const { end, start } = time
  const at = time.time
  if (at % 1000 !== 0 || line.charCodeAt(end) !== 32 || line.charCodeAt(end + 1) !== 91) return
  const better =
    timeAt(line, end + 2, now) && line.charCodeAt(time.end) === 93 && Math.floor(time.time / 1000) * 1000 === at
  time.start = start
  time.letter = 0
  if (better) time.end++
  else {
    time.time = at
    time.end = end
  }
}

/** What stands behind a time at `end`; `begin` is where the time starts. */
const afterTime = (line: string, begin: number, end: number, found: Found): void => {
  const code = line.charCodeAt(end)
  if (code === 124 || (code === 32 && line.charCodeAt(end + 1) === 124)) return barred(line, end, found)
  const droid = sticky(android, line, end)
  if (droid !== null) {
    found.level = letterLevels[droid[3]!]
    found.attributes["process.pid"] = Number(droid[1])
    found.attributes["thread.id"] = Number(droid[2])
    found.service = droid[4]!.trimEnd()
    return
  }
  const short = code === 32 ? sticky(logcat, line, end + 1) : null
  if (short !== null) {
    found.level = letterLevels[short[1]!]
    found.service = short[2]!.trim()
    return
  }
  if (levelInHeader(line, end, true)) {
    found.level = word.level
    const before = facility.exec(line.slice(Math.max(end, word.start - 32), word.start))
    if (begin > 0) headOf(line.slice(0, begin), found)
    const onThread = code === 32 ? threadBefore.exec(line.slice(end, Math.min(word.start, end + 130))) : null
    behindLevel(line, word.end, found)
    if (onThread !== null && found.service !== undefined) {
      const name = onThread[1]!
      if (/^\d{1,10}$/u.test(name)) found.attributes["thread.id"] ??= Number(name)
      else found.attributes["thread.name"] ??= name
    }
    if (before !== null) found.service = before[1]
    return
  }
  const by = sticky(program, line, end)
  if (by !== null) {
    found.attributes["host.name"] = by[1]
    found.attributes["process.pid"] = Number(by[3])
    found.service = by[2]
  }
  const mark = sticky(redis, line, end)
  if (mark !== null && /^\d+:[XCSM] /u.test(line)) found.level = redisLevels[mark[1]!]
  if (begin > 0) beforeTime(line, begin, found)
}

/** A level in front of the time: `[notice] 2024-…`, `W, [2023-…`. */
const beforeTime = (line: string, begin: number, found: Found): void => {
  const head = line.slice(0, begin)
  headOf(head, found)
  const letter = ruby.exec(head.replace(/\[$/u, ""))
  if (letter !== null) found.level = letterLevels[letter[1]!]
  else if (levelInHeader(head, 0, true)) found.level = word.level
}

/** Whether the line is a row of a console. Its state is the kind of event ("error … Link ok"), so it names no level. */
const inRow = (line: string, found: Found): boolean => {
  const parts = row.exec(line)
  if (parts === null) return false
  found.time = Number(parts[3]) * 1000
  found.service = parts[1]
  found.attributes["state"] = parts[2]
  return true
}

const withoutTime = (line: string, found: Found): void => {
  untimed(line, found)
  const short = sticky(logcat, line, 0)
  if (short !== null) {
    found.level = letterLevels[short[1]!]
    found.service = short[2]!.trim()
  } else if (levelInHeader(line, 0, false)) {
    found.level = word.level
    if (found.service === undefined) behindLevel(line, word.end, found)
  }
}

export const plain: Total = {
  name: "plain",
  about:
    "any line: log4j, logback, Python, .NET, Go, Rust, Ruby, PHP and all others; what the text names becomes attributes",
  fields: "client.address user.name thread.name process.pid http.request.method url.path http.response.status_code",
  parse: (line, now) => {
    const found: Found = { message: line, attributes: {} }
    const head = line.length > maxHead ? line.slice(0, maxHead) : line
    let body = 0
    const timed = timeAt(head, 0, now) || timeOfLine(head, now)
    if (timed) {
      if (time.letter === 0) finer(head, now)
      const { end, letter, start } = time
      body = end
      found.time = time.time
      if (letter !== 0) found.level = letterLevels[String.fromCharCode(letter)]
      else afterTime(head, start, end, found)
    } else if (!inRow(head, found)) withoutTime(head, found)
    if (timed && (found.service === undefined || head.charCodeAt(body) === 9)) laidOut(head, body, found)
    if (found.level === undefined) {
      found.level = levelInPair(line) ?? (!timed && isException(line) ? "error" : undefined)
    }
    trailing(line, body, found)
    traces(line, found)
    stackOf(line, found.attributes)
    embedded(body === 0 ? line : line.slice(body), found.attributes)
    const status = found.attributes["http.response.status_code"]
    if (
      found.level === undefined &&
      typeof status === "number" &&
      found.attributes["http.request.method"] !== undefined
    ) {
      found.level = levelOfStatus(status)
    }
    return event(found, now)
  }
}
