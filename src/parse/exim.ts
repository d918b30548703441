/**
 * Exim's main and reject logs: `2022-06-29 15:33:46 [id] H=host (helo) [1.2.3.4]:53343 F=<a@b> rejected RCPT <c@d>: reason`
 * and failed authentications. The line is the message.
 */
import { embedded } from "./Embedded.ts"
import { type Parser, event } from "./Parser.ts"
import { isAddress, put } from "./Scan.ts"
import { found as time, timeAt } from "./Time.ts"

const peer =
  /(?:^| )(?:H=|for |from )(?:([\w.-]{1,255}) )?(?:\((\[?[\w.:-]{1,255}\]?)\) )?\[([0-9a-fA-F.:]{3,45})\](?::(\d{1,5}))?/u
const login = /^ ([\w-]{1,40}) authenticator failed for /u
const arrow = /^ (?:\[\d{1,10}\] )?\w{6}-\w{6,11}-\w{2,4} (<=|=>|->|\*\*|==|Completed) ?(\S{1,320})?/u
const recipient = / rejected (?:RCPT|MAIL) <([^<>\s]{1,320})>/u
const sender = / F=<([^<>\s]{1,320})>/u
const verify = / sender verify fail for <([^<>\s]{1,320})>/u
const acl = / rejected connection in "([^"]{1,60})" ACL/u
const limit = /ratelimited \(([^()]{1,80})\)/u
const url = /\bhttps?:\/\/[^\s"<>]{1,512}/u
const onPort = / on port (\d{1,5})\b/u

export const exim: Parser = {
  name: "exim",
  about: "Exim mail server",
  fields: "client.address client.port source.domain smtp.helo user.name mail.from mail.to tls.cipher",
  begins: "0",
  parse: (line, now) => {
    if (line.charCodeAt(4) !== 45 || line.charCodeAt(10) !== 32 || !timeAt(line, 0, now)) return undefined
    const at = time.time
    const text = line.slice(time.end, time.end + 2048)
    const failed = login.exec(text)
    const flow = failed === null ? arrow.exec(text) : null
    if (failed === null && flow === null && !/^(?: \[\d{1,10}\])? (?:\w{6}-\w{6,11}-\w{2,4} )?H=[\w([]/u.test(text)) {
      return undefined
    }
    const attributes: Record<string, unknown> = {}
    const from = peer.exec(text)
    if (from !== null && isAddress(from[3]!)) {
      put(attributes, "source.domain", from[1])
      put(attributes, "smtp.helo", from[2])
      attributes["client.address"] = from[3]
      if (from[4] !== undefined) attributes["client.port"] = Number(from[4])
    }
    put(attributes, "smtp.authenticator", failed?.[1])
    put(attributes, "user.name", failed === null ? undefined : /\(set_id=([^)]{1,320})\)/u.exec(text)?.[1])
    put(attributes, "mail.direction", flow?.[1])
    put(attributes, flow?.[1] === "<=" ? "mail.from" : "mail.to", flow?.[2])
    put(attributes, "mail.to", recipient.exec(text)?.[1])
    put(attributes, "mail.from", sender.exec(text)?.[1] ?? verify.exec(text)?.[1])
    put(attributes, "smtp.acl", acl.exec(text)?.[1])
    put(attributes, "smtp.rate_limit", limit.exec(text)?.[1])
    put(attributes, "url.full", url.exec(text)?.[0])
    put(attributes, "tls.cipher", / X=(\S{1,120})/u.exec(text)?.[1])
    const port = onPort.exec(text)
    if (port !== null) attributes["server.port"] = Number(port[1])
    embedded(text, attributes)
    const bad = failed !== null || flow?.[1] === "**" || / rejected | fail/u.test(text)
    return event({ time: at, level: bad ? "warn" : "info", service: "exim", message: line, attributes }, now)
  }
}
