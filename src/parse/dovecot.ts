/**
 * Dovecot's lines as the body of syslog: logins (`imap-login: what happened: user=<u>, rip=…`) and authentication
 * (`auth: passwd-file(user,1.2.3.4): what happened`). The body is the message.
 */
import { embedded } from "./Embedded.ts"
import { levelOfMessage } from "./LevelWords.ts"
import { type Parser, event } from "./Parser.ts"
import { endpointOf, put } from "./Scan.ts"

const login = /^(imap|pop3|submission|managesieve|lmtp|doveadm)(?:-login)?: (?=\S)/u
const auth =
  /^auth(?:-worker)?(?:\(\d{1,10}\))?: (?:(?:Info|Error|Warning|Debug): )?(?:conn \S{1,80} \([^)]{1,80}\): )?(?:auth-worker<\d{1,10}>: )?([a-z][\w-]{0,40})\(([^(),]{1,256})(?:,([0-9a-fA-F.:]{2,45}))?(?:,<[^<>]{0,80}>)?\): (?:([a-z_]{2,40}\(\)) failed: )?/u

export const dovecot: Parser = {
  name: "dovecot",
  about: "Dovecot's logins and authentication, in syslog",
  fields: "client.address server.address user.name network.protocol.name event.reason dovecot.backend",
  begins: "ipsmlda",
  parse: (line, now) => {
    const attributes: Record<string, unknown> = {}
    const text = line.slice(0, 2048)
    const named = login.exec(text)
    const done = named === null ? auth.exec(text) : null
    if (named !== null) {
      attributes["network.protocol.name"] = named[1]
      const pairs = text.search(/: (?:user|method|rip|lip)=/u)
      if (pairs === -1) return undefined
      attributes["event.reason"] = text.slice(named[0].length, pairs)
    } else if (done !== null) {
      attributes["dovecot.backend"] = done[1]
      put(attributes, "user.name", done[2])
      put(attributes, "client.address", endpointOf(done[3] ?? "")?.address)
      put(attributes, "code.function.name", done[4])
      attributes["event.reason"] = text.slice(done[0].length)
    } else return undefined
    embedded(text, attributes)
    return event({ level: levelOfMessage(line), message: line, attributes }, now)
  }
}
