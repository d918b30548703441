/**
 * Keeps requests that a setting asks for away from this host and its private networks. Promises that a name is judged by the
 * addresses it has when the connection is opened, so that an answer of the name server that changes in between helps nobody.
 */
import { lookup, type LookupAddress, type LookupOptions } from "node:dns"
import { BlockList, isIP, type LookupFunction } from "node:net"

const privateList = new BlockList()
const ranges: ReadonlyArray<readonly [address: string, bits: number, family: "ipv4" | "ipv6"]> = [
  // This host, private networks, links, carrier's networks, tests, multicast, reserved.
  ["0.0.0.0", 8, "ipv4"],
  ["10.0.0.0", 8, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.0.0.0", 24, "ipv4"],
  ["192.0.2.0", 24, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["198.18.0.0", 15, "ipv4"],
  ["198.51.100.0", 24, "ipv4"],
  ["203.0.113.0", 24, "ipv4"],
  ["224.0.0.0", 3, "ipv4"],
  // With :: and ::1; the rest are IPv4 addresses as they once were written.
  ["::", 96, "ipv6"],
  ["fc00::", 7, "ipv6"],
  ["fe80::", 10, "ipv6"],
  ["fec0::", 10, "ipv6"],
  ["ff00::", 8, "ipv6"],
  ["2001:db8::", 32, "ipv6"],
  // What an IPv4 address hides in; it may be a private one, and no log is served there.
  ["64:ff9b::", 96, "ipv6"],
  ["64:ff9b:1::", 48, "ipv6"],
  ["2002::", 16, "ipv6"],
  ["2001::", 32, "ipv6"]
]
for (const [address, bits, family] of ranges) privateList.addSubnet(address, bits, family)

/** Whether an IP address is this host's or lies in a private network; what is no address counts as private. */
export const isPrivate = (address: string): boolean => {
  const plain = address.replace(/^\[|\]$/gu, "").replace(/%.*$/u, "")
  const family = isIP(plain)
  if (family === 0) return true
  // BlockList reads ::ffff:a.b.c.d as the IPv4 address that it is.
  return privateList.check(plain, family === 4 ? "ipv4" : "ipv6")
}

/** A name stands for an address that may not be asked. */
export class PrivateAddress extends Error {
  override readonly name = "PrivateAddress"
  /** What was got instead of a public address, and what can be done. */
  readonly got: string
  constructor(host: string) {
    const got = `${host}, which is this host or in a private network (LOGLYTICS_ALLOW_PRIVATE_URLS=true allows it)`
    super(`expected a public address, got ${got}`)
    this.got = got
  }
}

/** What is to be judged before a URL is asked: an address that is written out is never looked up. */
export const literalFault = (url: URL, allowPrivate: boolean): PrivateAddress | undefined => {
  const host = url.hostname.replace(/^\[|\]$/gu, "")
  return !allowPrivate && isIP(host) !== 0 && isPrivate(host) ? new PrivateAddress(host) : undefined
}

/** For `lookup` of http.request: fails where any address of the name is private. */
export const guardedLookup =
  (allowPrivate: boolean): LookupFunction =>
  (host, options, callback) => {
    const wanted: LookupOptions = { ...options, all: true }
    lookup(host, wanted, (error, found) => {
      const addresses = found as unknown as ReadonlyArray<LookupAddress> | undefined
      const first = addresses?.[0]
      if (error !== null || first === undefined) return callback(error ?? new Error(`${host} has no address`), "", 4)
      if (!allowPrivate && addresses?.some(({ address }) => isPrivate(address)) === true) {
        return callback(new PrivateAddress(host), "", 4)
      }
      if (options.all === true) (callback as unknown as (e: null, all: unknown) => void)(null, addresses)
      else callback(null, first.address, first.family)
    })
  }

/**
 * The address to connect to for a host; rejects where any address it stands for is private. For clients that would look the name up
 * themselves, at a moment of their own: they are given the address that was judged.
 */
export const addressOf = async (host: string, allowPrivate: boolean): Promise<string> => {
  if (isIP(host) !== 0) {
    if (!allowPrivate && isPrivate(host)) throw new PrivateAddress(host)
    return host
  }
  return new Promise((done, failed) =>
    guardedLookup(allowPrivate)(host, { all: true }, (error, found) => {
      if (error !== null) return failed(error)
      const addresses = found as unknown as ReadonlyArray<LookupAddress>
      // Not every host has a way to the addresses of IPv6 that a name has.
      done((addresses.find(({ family }) => family === 4) ?? addresses[0]!).address)
    })
  )
}

/** Rejects where a URL's host is, or stands for, a private address: for clients whose sockets are not ours to open. */
export const checkHost = async (url: URL, allowPrivate: boolean): Promise<void> => {
  if (!allowPrivate) await addressOf(url.hostname.replace(/^\[|\]$/gu, ""), false)
}
