/**
 * The attributes that are found in running text: put under OpenTelemetry's names where the text's names are known, bounded
 * in number, and never over one that is there. How names and values are found is Embedded.ts's part.
 */
import { isMethod, putRequest } from "./Http.ts"
import { prose } from "./Names.ts"
import { type Endpoint, endpointOf, typed } from "./Scan.ts"

/** Attributes that one text may add. */
export const maxFound = 48

const transports = /^(?:tcp|udp|icmp|icmpv6|sctp|gre|esp|ah)$/iu

/** What can be a host's name. */
const host = /^[\w.-]{1,255}(?::\d{1,5})?$/u

export class Findings {
  readonly attributes: Record<string, unknown>
  added = 0
  client: Endpoint | undefined

  constructor(attributes: Record<string, unknown>) {
    this.attributes = attributes
  }

  has(name: string): boolean {
    return Object.hasOwn(this.attributes, name)
  }

  add(name: string, value: unknown): void {
    if (value === "" || value === "-" || this.added >= maxFound || Object.hasOwn(this.attributes, name)) return
    if (name === "__proto__") return
    this.added++
    this.attributes[name] = value
  }

  /** A named value: under OpenTelemetry's name where the word is known, else, for pairs, under its own. */
  named(key: string, value: string, pair: boolean): void {
    const name = prose.get(key.toLowerCase())
    if (name === undefined) {
      if (pair) this.add(key, typed(value))
      return
    }
    if (name === "trace") return
    if (name === "message") {
      this.add("event.description", value)
    } else if (name.endsWith(".address")) {
      const endpoint = endpointOf(value)
      if (endpoint === undefined && !pair && !host.test(value)) return
      if (endpoint === undefined) this.add(pair && name !== "server.address" ? key : name, typed(value))
      else this.endpoint(name, endpoint)
    } else if (name === "http.request.line") {
      if (this.has("http.request.method") || (!pair && !value.includes(" "))) return
      putRequest(this.attributes, value)
    } else if (name === "network.transport") this.add(transports.test(value) ? name : key, value.toLowerCase())
    else if (name === "http.request.method") this.add(isMethod(value) ? name : key, value)
    else if (name === "http.response.status_code") this.add(/^[1-5]\d\d$/u.test(value) ? name : key, typed(value))
    else if (name === "user.name") this.add(/^\d+\.\d+$/u.test(value) ? key : name, value)
    else this.add(name, typed(value))
  }

  endpoint(name: string, { address, port }: Endpoint): void {
    if (Object.hasOwn(this.attributes, name)) return
    this.add(name, address)
    if (port !== undefined) this.add(name.replace(/address$/u, "port"), port)
    if (name === "client.address") this.client = { address, port }
  }
}
