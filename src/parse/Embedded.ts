/**
 * Finds what running text names: pairs (`rhost=1.2.3.4`), quoted values (`user "bob"`), brackets (`[client 1.2.3.4:5]`),
 * addresses behind words that say whose they are (`from 1.2.3.4 port 22`), user names and requests. One pass over a head
 * of bounded length; what is found becomes attributes that the text does not lose. Only adds names that are not taken.
 */
import { maxFound } from "./Findings.ts"
import { isMethod, putRequest, putTarget } from "./Http.ts"
import { clientCues, noName, prose, serverCues, userCues } from "./Names.ts"
import { type Endpoint, endpointOf } from "./Scan.ts"
import { Values, isBlank, isBreak, maxText } from "./Values.ts"

const isMail = /^[\w.+%-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,6}$/u

class Reading extends Values {
  /** The word read last, lower case; "" behind anything else. */
  cue = ""
  /** Opened by `[` right before the word under way. */
  bracket = false
  /** Characters of the word under way. */
  length = 0
  peer: Endpoint | undefined
  forName: string | undefined
  user: string | undefined
  mailed: string | undefined

  pair(key: string): void {
    this.at++
    const value = this.value()
    if (value === undefined) return
    this.cue = ""
    if (value !== "" && key.length <= 64) this.named(key, value, true)
  }

  quoted(): void {
    const from = this.at
    const value = this.value()
    if (value === undefined) {
      this.at = from + 1
      return
    }
    const { cue } = this
    this.cue = ""
    const method = value.indexOf(" ")
    if (method > 2 && method < 12 && isMethod(value.slice(0, method)) && /^[A-Z]+ \S+ HTTP\/[\d.]+$/u.test(value)) {
      if (this.has("http.request.method")) return
      putRequest(this.attributes, value)
      const status = /^[ ,]{1,2}([1-5]\d\d)(?![\w.])/u.exec(this.text.slice(this.at, this.at + 8))
      if (status !== null) this.add("http.response.status_code", Number(status[1]))
      return
    }
    if (this.text.charCodeAt(from - 1) === 64 || (cue !== "" && clientCues.has(cue))) {
      const endpoint = endpointOf(value)
      if (endpoint !== undefined) return this.endpoint("client.address", endpoint)
    }
    if (cue !== "" && prose.has(cue)) this.named(cue, value, false)
    else if (value.includes("@") && this.mailed === undefined && isMail.test(value)) this.mailed = value
    else if (cue === "for" && value.length < 128) this.forName = value
  }

  /** An address in running text. */
  address(endpoint: Endpoint): void {
    const cue = this.cue === "port" ? "" : this.cue
    this.cue = ""
    // "1.2.3.4 - bob "GET /": as access logs have it, in the midst of a line.
    const asked = this.text.startsWith(" - ", this.at)
      ? /^ - (\S{1,64}) "[A-Z]{3,9} /u.exec(this.text.slice(this.at, this.at + 80))
      : null
    if (asked !== null && this.client === undefined) {
      if (asked[1] !== "-") this.user ??= asked[1]!
      return this.endpoint("client.address", endpoint)
    }
    // "->" is cut into "-" before the arrow's head.
    if (serverCues.has(cue) || (cue === "-" && this.peer !== undefined)) {
      return this.endpoint(cue === "-" ? "destination.address" : "server.address", endpoint)
    }
    if (clientCues.has(cue)) {
      if (this.client === undefined) this.endpoint("client.address", endpoint)
    } else if (cue === "src") this.endpoint("source.address", endpoint)
    else if (cue !== "version") this.peer ??= endpoint
  }

  word(word: string): void {
    const { cue } = this
    const first = word.charCodeAt(0)
    const colon = word.charCodeAt(word.length - 1) === 58 && word.length > 1 && !word.endsWith("::")
    const core = colon || word.endsWith(".") ? word.slice(0, -1) : word
    const digit = first >= 48 && first <= 57
    if (word.length > 2 && (word.includes(".") || word.includes(":"))) {
      const endpoint = endpointOf(core) ?? (word.endsWith("::") ? endpointOf(word) : undefined)
      if (endpoint !== undefined) return this.located(endpoint)
    }
    if (first >= 65 && first <= 90 && this.text.charCodeAt(this.at) === 32 && this.request(word)) return
    if (word.includes("@") && this.mail(core)) return
    if (digit && cue === "port") {
      const port = /^\d{1,5}(?!\d)/u.exec(core)
      if (port !== null) this.add(this.client === undefined ? "network.peer.port" : "client.port", Number(port[0]))
    }
    if (digit && cue === "status" && /^[1-5]\d\d$/u.test(core) && this.has("http.request.method")) {
      this.add("http.response.status_code", Number(core))
    }
    if (userCues.has(cue) && this.user === undefined) {
      const lower = core.toLowerCase()
      if (!noName.has(lower) && core.length < 128 && !(colon && prose.has(lower))) this.user = core
    } else if (cue === "for" && this.forName === undefined && !noName.has(core.toLowerCase())) this.forName = core
    this.cue = core.length <= 24 ? core.toLowerCase() : ""
    if (colon && this.cue === "reason") this.because()
    if (!colon && core.includes(":") && core.length > 3) this.compact(core)
  }

  /** `GET /path 404`, without quotes or with the target in them; the status may stand behind it. */
  request(method: string): boolean {
    const quoted = this.text.charCodeAt(this.at + 1) === 34 ? 1 : 0
    const from = this.at + 1 + quoted
    const first = this.text.charCodeAt(from)
    if ((first !== 47 && first !== 104) || !isMethod(method)) return false
    if (this.has("http.request.method")) return false
    let end = from
    while (end < this.end && !isBlank(this.text.charCodeAt(end)) && this.text.charCodeAt(end) !== 34) end++
    end -= closers.exec(this.text.slice(from, end))?.[0].length ?? 0
    if (first === 104 && !this.text.startsWith("http", from)) return false
    this.add("http.request.method", method)
    putTarget(this.attributes, this.text.slice(from, end))
    const status = /^[",:]?(?: HTTP\/[\d.]{1,4})?[",:]? (?:[-=]> )?([1-5]\d\d)(?![\w.])/u.exec(
      this.text.slice(end, end + 20)
    )
    if (status !== null) this.add("http.response.status_code", Number(status[1]))
    this.at = end + quoted
    this.cue = ""
    return true
  }

  /** `user@1.2.3.4` tells both; an address of mail is a user where a client is known. */
  mail(word: string): boolean {
    const at = word.lastIndexOf("@")
    const endpoint = endpointOf(word.slice(at + 1))
    if (endpoint === undefined) {
      if (this.user === undefined && at > 0 && isMail.test(word)) {
        this.mailed ??= word
      }
      return false
    }
    if (this.client === undefined) this.endpoint("client.address", endpoint)
    if (at > 0 && word.slice(0, at) !== "?") this.user ??= word.slice(0, at)
    return true
  }

  /** `Reason: …` up to the end of its sentence. */
  because(): void {
    let end = this.at
    while (end < this.end && end - this.at < 256) {
      const code = this.text.charCodeAt(end)
      if (code === 91 || code === 40 || code === 10 || (code === 46 && isBlank(this.text.charCodeAt(end + 1)))) break
      end++
    }
    this.add("event.reason", this.text.slice(this.at, end).trim().replace(/\.$/u, ""))
  }

  /** `origin:test.com`, `tid:1256`: a known name right before its value, in a bracket only. */
  compact(word: string): void {
    const colon = word.indexOf(":")
    // Names begin with a letter: times and IPv6 addresses do not.
    if (colon < 2 || colon > 24 || colon === word.length - 1 || word.charCodeAt(0) < 65) return
    const name = prose.get(word.slice(0, colon).toLowerCase())
    if (name === undefined || !(this.bracket || name === "user.name" || name === "client.address")) return
    const value = word.slice(colon + 1)
    if (this.bracket || (name === "user.name" ? /^[\w.@+-]{1,64}$/u.test(value) : endpointOf(value) !== undefined)) {
      this.named(word.slice(0, colon), value, false)
    }
  }

  located(endpoint: Endpoint): void {
    let { port } = endpoint
    // "[::1]:22" and "[1.2.3.4]:22": the port stands behind the bracket.
    if (port === undefined && this.text.charCodeAt(this.at) === 93 && this.text.charCodeAt(this.at + 1) === 58) {
      const digits = /^\d{1,5}/u.exec(this.text.slice(this.at + 2, this.at + 7))
      if (digits !== null) port = Number(digits[0])
    }
    // "1.2.3.4[500]"
    else if (port === undefined && this.text.charCodeAt(this.at) === 91) {
      const digits = /^(\d{1,5})\]/u.exec(this.text.slice(this.at + 1, this.at + 7))
      if (digits !== null) port = Number(digits[1])
    }
    // "unknown[1.2.3.4]": the address of the host before it.
    const from = this.at - this.length
    const glued = from > 1 && this.text.charCodeAt(from - 1) === 91 && !isBreak(this.text.charCodeAt(from - 2))
    if (glued && this.client === undefined) this.endpoint("client.address", { address: endpoint.address, port })
    else this.address({ address: endpoint.address, port })
  }

  /** `user [bob]`: the bracket is a quote. */
  whoInBracket(): boolean {
    if (!userCues.has(this.cue) || this.user !== undefined) return false
    // "[DOMAIN]\[bob]" is Samba's.
    const name = /^([^\s[\]]{1,64})\](?:\\\[([^\s[\]]{1,64})\])?/u.exec(this.text.slice(this.at, this.at + 134))
    if (name === null) return false
    this.user = name[2] ?? name[1]!
    this.at += name[0].length
    return true
  }

  /** `[key value]` and `[key: value with blanks]` of known keys. */
  inBracket(): boolean {
    const { at, text } = this
    let end = at
    while (end < this.end && end - at < 24 && !isBreak(text.charCodeAt(end))) end++
    const next = text.charCodeAt(end)
    if (next !== 32 || end === at) return false
    const key = text.slice(at, text.charCodeAt(end - 1) === 58 ? end - 1 : end)
    const lower = key.toLowerCase()
    if (!prose.has(lower)) return false
    if (text.charCodeAt(end + 1) === 34) {
      this.at = end + 1
      const value = this.value()
      if (value === undefined) return false
      this.named(lower, value, false)
      return true
    }
    let close = end + 1
    while (close < this.end && close - end < 512 && text.charCodeAt(close) !== 93) close++
    if (text.charCodeAt(close) !== 93) return false
    const value = text.slice(end + 1, close)
    // "[pid 4803:tid 3814]"
    const second = /^(\d{1,10}):tid (\d{1,20})$/u.exec(value)
    if (second === null) this.named(lower, value, false)
    else {
      this.add("process.pid", Number(second[1]))
      this.add("thread.id", second[2])
    }
    this.at = close + 1
    return true
  }

  run(): void {
    const { end, text } = this
    while (this.at < end && this.added < maxFound) {
      const code = text.charCodeAt(this.at)
      if (isBreak(code)) this.stop(code)
      else {
        const from = this.at
        let to = from + 1
        while (to < end && !isBreak(text.charCodeAt(to))) to++
        this.at = to
        this.length = to - from
        if (text.charCodeAt(to) === 61 && to < end) {
          this.pair(text.slice(from, to))
        } else if (to - from <= 128) this.word(text.slice(from, to))
        else this.cue = ""
        this.bracket = false
      }
    }
    this.settle()
  }

  stop(code: number): void {
    const { at, text } = this
    if (code === 34 || code === 39 || code === 96) {
      // An apostrophe opens a value only behind a break: "don't" does not.
      const begins = at === 0 || opens(text.charCodeAt(at - 1))
      if (code === 34 ? !this.noQuote : begins && !(code === 39 ? this.noApostrophe : this.noTick)) return this.quoted()
      this.cue = ""
    } else if (code === 91 || code === 40) {
      this.at = at + 1
      if (code === 91 && (this.whoInBracket() || this.inBracket())) {
        this.cue = ""
        return
      }
      this.bracket = true
      return
    } else if (code === 44 || code === 59 || code === 41 || code === 93) {
      if (code !== 93 || userCues.has(this.cue)) this.cue = ""
    }
    this.at = at + 1
  }

  /** What only the whole text tells: who, where an address was found, the user is. */
  settle(): void {
    if (this.peer !== undefined && this.client === undefined) {
      const { address, port } = this.peer
      if (!this.has("network.peer.address") && !this.has("client.address")) {
        this.add("network.peer.address", address)
        if (port !== undefined) this.add("network.peer.port", port)
      }
    }
    if (this.client === undefined && this.peer === undefined) return
    const name = this.user ?? this.forName ?? this.mailed
    if (name !== undefined) this.add("user.name", name)
  }
}

/** What closes a bracket around a request, not a part of its target. */
const closers = /[)\]}][:,.]?$/u
const opens = (code: number): boolean => isBreak(code) || code === 64 || code === 58

const worth = /[="`]|\d\.\d{1,3}\.\d|::|'| \/|eason: /u

/** Adds to `attributes` what the text names. Linear, and in a bounded head of the text only. */
export const embedded = (text: string, attributes: Record<string, unknown>): void => {
  if (text.length < 8 || !worth.test(text.length > maxText ? text.slice(0, maxText) : text)) return
  new Reading(text, attributes).run()
}
