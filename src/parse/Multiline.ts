/**
 * Puts the lines of a stack trace, and lines that are indented under another, together into one event with newlines inside.
 * Promises that the same lines give the same events however they arrive (time plays no part), that a line which only might
 * belong to the one before stays an event of its own, and bounded memory. Lines of JSON bodies are not its business.
 */

/** Lines of one event; the next goes on as a new one that begins with `continued`. */
export const linesMax = 500
/** Characters of one event of several lines; a single line may be longer. */
export const charsMax = 64 * 1_024
/** What an event begins with that is the rest of one that grew beyond the limits. */
export const continued = "[continued] "

export interface Assembler {
  /** Takes the next lines (none with a line end inside); returns the events that are complete by now. */
  readonly push: (lines: ReadonlyArray<string>) => Array<string>
  /** The event under way, if any: whoever knows that nothing follows, or waited long enough, asks for it. */
  readonly end: () => Array<string>
  /** Lines of the event under way: the last so many that were pushed. */
  readonly held: () => number
}

/** Longer beginnings of lines are not looked at: it keeps every expression below linear in the line. */
const lookMax = 300

/** What an event has turned out to be; it decides which lines without an indentation still belong to it. */
type Kind = "line" | "trace" | "python" | "python ended" | "go" | "php" | "caret" | "closed"

const indentation = (line: string): number => {
  let i = 0
  for (; i < line.length && i < lookMax; i++) {
    const code = line.charCodeAt(i)
    if (code !== 32 && code !== 9) break
  }
  return i
}

/** An indented line that is a log line all the same: a column aligned to the right, or a time. */
const indentedHead =
  /^[ \t]+(?:\d{1,10}(?:[.:,/-]\d+)*(?:[ \t:|,;\]]|$)|[A-Z][a-z]{2} [ \d]\d \d\d:|\[?\d{2,4}[-/.:]\d\d[-/.:T ])/u
const troubled =
  /\b(?:err(?:or)?|errors|crit(?:ical)?|fatal|severe|alert|emerg|panic(?:ked)?|exception|throwable|fail(?:ed|ure|s)?|warn(?:ing)?|uncaught|unhandled|traceback|crash(?:ed)?)\b|[a-z](?:Error|Exception)\b/iu
/** `java.lang.IllegalStateException: …`, `TypeError: …`, `Error [ERR_X]: …` */
const exceptionHead =
  /^(?:Uncaught )?(?:[A-Za-z_$][\w$]*[.:\\]{1,2})*(?:[A-Z][\w$]*)?(?:Error|Exception|Throwable|Fault|Interrupt|Exit)(?:$|: | \[|:$| \()/u
const javaMore = /^(?:Caused by: |Suppressed: |Wrapped by: |\.\.\. \d+ (?:more|common frames omitted))/u
const atFrame = /^at [\w$.<>/@[\]`'+]+(?:\(| in |$)/u
const netMore = /^(?:---> |--- End of )/u
const tracebackHead = /^Traceback \(most recent call last\):/u
const pythonChain =
  /^(?:During handling of the above exception, another exception occurred:|The above exception was the direct cause of the following exception:)/u
const pythonEnd = /^[A-Za-z_][\w.]*(?:: |:?$)/u
const goHead = /^(?:panic: |fatal error: |SIGQUIT: quit|unexpected fault address|http: panic serving )/u
const goroutine = /^goroutine \d+ .{0,80}\[/u
const goMore =
  /^(?:\[signal |created by |goroutine \d+ .{0,80}\[|\.\.\.(?:additional|\d+) frames elided|\[originating from goroutine|exit status \d+$|runtime: |r(?:ax|bx|cx|dx|di|si|bp|sp|ip|flags|\d\d?) +0x|[cfg]s +0x)/u
const goFrame = /^[\w./$·~%@+-]+(?:\([*\w[\].…·]{1,80}\)[\w.·]*)?\(/u
const rubyFrame = /^(?:from )?[\w./@+~-]+\.(?:rb|rake|erb|ru|haml|slim):\d+:in [`']/u
const phpTrace = /^(?:Stack trace:|\[stacktrace\]|PHP Stack trace:)/u
const phpMore = /^(?:#\d+ |PHP +\d+\. |Next [\w\\]+: |"\}|\{main\})/u
const closers = /^[)\]}]{1,8}[,;)]{0,3}$/u
const caret = /^[ \t]*[\^~]+[ \t]*$/u

interface Open {
  readonly lines: Array<string>
  chars: number
  readonly indent: number
  kind: Kind
}

const kindOfHead = (line: string): Kind => {
  if (tracebackHead.test(line)) return "python"
  if (goHead.test(line) || goroutine.test(line)) return "go"
  return phpTrace.test(line) ? "php" : "line"
}

/** What the event is once the line is added to it; undefined: the line does not belong to it. */
const goesOn = (open: Open, line: string): Kind | undefined => {
  const indent = indentation(line)
  const look = line.length > lookMax ? line.slice(0, lookMax) : line
  if (indent > 0) return indented(open, look, indent)
  const code = line.charCodeAt(0)
  const { kind } = open
  // Most lines begin with a digit, a bracket or a brace: nothing but a closer does that belongs to what was before.
  if (code === 123 || (code >= 48 && code <= 57)) return phpMore.test(look) && kind === "php" ? kind : undefined
  if (open.lines.length > 1 && closers.test(look)) return kind === "trace" || kind === "caret" ? "closed" : kind
  if (code === 91)
    return (kind === "go" && goMore.test(look)) || phpTrace.test(look) ? (kind === "go" ? kind : "php") : undefined
  return unindented(open, look)
}

const indented = (open: Open, look: string, indent: number): Kind | undefined => {
  const { kind } = open
  if (kind === "closed" || kind === "python ended") return undefined
  if (kind === "line") {
    // A complete JSON object stays one; a column aligned to the right is no continuation.
    const head = open.lines[0]!
    if (indent <= open.indent || indentedHead.test(look)) return undefined
    if (head.charCodeAt(0) === 123 && head.endsWith("}")) return undefined
    return caret.test(look) ? "caret" : "trace"
  }
  if (kind === "trace" || kind === "caret") {
    if (indent <= open.indent) return undefined
    const inside = /[{[(,]$/u.test(open.lines.at(-1)!) || /^[ \t]+\d+[:|.) ]/u.test(look)
    if (indentedHead.test(look) && !inside) return undefined
    return caret.test(look) ? "caret" : "trace"
  }
  return kind
}

/** Lines without an indentation. */
const unindented = (open: Open, look: string): Kind | undefined => {
  const { kind } = open
  if (kind === "python") {
    if (!pythonEnd.test(look) || open.lines.length < 2) return undefined
    return tracebackHead.test(look) ? "python" : "python ended"
  }
  if (kind === "python ended") {
    if (pythonChain.test(look)) return "python ended"
    return tracebackHead.test(look) && pythonChain.test(open.lines.at(-1)!) ? "python" : undefined
  }
  if (kind === "go") {
    if (goroutine.test(look) || goMore.test(look)) return "go"
    return goFrame.test(look) && /[)}]$|\.\.\.$/u.test(look.slice(-4)) ? "go" : undefined
  }
  if (kind === "php" && phpMore.test(look)) return "php"
  if (kind === "caret" && exceptionHead.test(look)) return "trace"
  if (javaMore.test(look) || netMore.test(look)) return hasTrouble(open) ? "trace" : undefined
  if (atFrame.test(look) || rubyFrame.test(look)) return hasTrouble(open) ? "trace" : undefined
  if (phpTrace.test(look)) return hasTrouble(open) ? "php" : undefined
  if ((kind === "trace" || kind === "closed") && /^Node\.js v\d/u.test(look)) return "trace"
  if (open.lines.length > 1 || kind === "php" || !hasTrouble(open)) return undefined
  // What follows belongs to the log line before it only where that line speaks of a failure and is not one itself.
  if (tracebackHead.test(look)) return "python"
  if (goroutine.test(look)) return "go"
  return exceptionHead.test(look) && !exceptionHead.test(open.lines[0]!.slice(0, lookMax)) ? "trace" : undefined
}

const hasTrouble = (open: Open): boolean => {
  if (open.lines.length > 1) return true
  const head = open.lines[0]!
  return troubled.test(head.length > 2_000 ? head.slice(0, 2_000) : head)
}

export const make = (): Assembler => {
  let open: Open | undefined
  const begin = (line: string, kind: Kind, indent: number): Open => ({
    lines: [line],
    chars: line.length,
    indent,
    kind
  })
  const textOf = ({ lines }: Open): string => (lines.length === 1 ? lines[0]! : lines.join("\n"))
  return {
    push: (lines) => {
      const events: Array<string> = []
      for (const line of lines) {
        if (open === undefined) {
          open = begin(line, kindOfHead(line), indentation(line))
          continue
        }
        const kind = goesOn(open, line)
        if (kind === undefined) {
          events.push(textOf(open))
          open = begin(line, kindOfHead(line), indentation(line))
        } else if (open.lines.length >= linesMax || open.chars + line.length + 1 > charsMax) {
          events.push(textOf(open))
          // As a trace of its own: the indentation that the first line had is what the rest is measured by.
          open = begin(`${continued}${line}`, kind === "line" ? "trace" : kind, open.indent)
        } else {
          open.lines.push(line)
          open.chars += line.length + 1
          open.kind = kind
        }
      }
      return events
    },
    end: () => {
      if (open === undefined) return []
      const event = textOf(open)
      open = undefined
      return [event]
    },
    held: () => open?.lines.length ?? 0
  }
}

/** The events of lines that are all there. */
export const assemble = (lines: ReadonlyArray<string>): Array<string> => {
  const assembler = make()
  return [...assembler.push(lines), ...assembler.end()]
}
