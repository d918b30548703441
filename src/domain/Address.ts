/**
 * Which addresses lie outside: what a stranger's URL may make this process connect to. Promises that an address of this host,
 * of a private network, of a link (cloud metadata is there) or of no single machine is told by its kind, in whatever way it is
 * written. Names are resolved by whoever connects, and every resolved address is asked here.
 */
import { BlockList, isIP } from "node:net"

const kinds: ReadonlyArray<readonly [kind: string, ...ranges: ReadonlyArray<readonly [string, number]>]> = [
  ["this host", ["0.0.0.0", 8], ["127.0.0.0", 8], ["::", 128], ["::1", 128]],
  [
    "a private network",
    ["10.0.0.0", 8],
    ["172.16.0.0", 12],
    ["192.168.0.0", 16],
    ["100.64.0.0", 10],
    ["fc00::", 7],
    ["fec0::", 10]
  ],
  ["a link", ["169.254.0.0", 16], ["fe80::", 10]],
  ["many machines", ["224.0.0.0", 4], ["255.255.255.255", 32], ["ff00::", 8]],
  [
    "no public machine",
    ["192.0.0.0", 24],
    ["192.0.2.0", 24],
    ["198.18.0.0", 15],
    ["198.51.100.0", 24],
    ["203.0.113.0", 24],
    ["240.0.0.0", 4],
    ["100::", 64],
    ["2001:db8::", 32]
  ]
]

const family = (address: string): "ipv4" | "ipv6" => (address.includes(":") ? "ipv6" : "ipv4")

const lists = kinds.map(([kind, ...ranges]) => {
  const list = new BlockList()
  for (const [net, prefix] of ranges) list.addSubnet(net, prefix, family(net))
  return { kind, list }
})

/** IPv4 inside IPv6: mapped, compatible, NAT64 and 6to4 addresses reach the IPv4 one. */
const innerOf = (address: string): string | undefined => {
  const bytes = bytesOf(address)
  if (bytes === undefined) return undefined
  const zero = (from: number, to: number) => bytes.slice(from, to).every((byte) => byte === 0)
  const dotted = (at: number) => bytes.slice(at, at + 4).join(".")
  if (zero(0, 10) && ((bytes[10] === 0xff && bytes[11] === 0xff) || zero(10, 12))) return dotted(12)
  if (bytes[0] === 0 && bytes[1] === 0x64 && bytes[2] === 0xff && bytes[3] === 0x9b) return dotted(12)
  if (bytes[0] === 0x20 && bytes[1] === 0x02) return dotted(2)
  return undefined
}

/** The 16 bytes of an IPv6 address. */
const bytesOf = (address: string): ReadonlyArray<number> | undefined => {
  const text = address.replace(/%.*$/u, "")
  const v4 = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/u.exec(text)
  const plain =
    v4 === null
      ? text
      : `${v4[1]}${((Number(v4[2]) << 8) | Number(v4[3])).toString(16)}:${((Number(v4[4]) << 8) | Number(v4[5])).toString(16)}`
  const [head = "", tail] = plain.split("::")
  const words = (part: string) => (part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16)))
  const before = words(head)
  const after = tail === undefined ? [] : words(tail)
  const all =
    tail === undefined ? before : [...before, ...Array(Math.max(0, 8 - before.length - after.length)).fill(0), ...after]
  return all.length === 8 && all.every((word) => word >= 0 && word <= 0xffff)
    ? (all as ReadonlyArray<number>).flatMap((word) => [word >> 8, word & 0xff])
    : undefined
}

/** What kind of place an IP address is when it is not a machine of the public internet; undefined when it is one. */
export const notOutside = (address: string): string | undefined => {
  const bare = address.replace(/^\[|\]$/gu, "").replace(/%.*$/u, "")
  const version = isIP(bare)
  if (version === 0) return "no IP address"
  const found = lists.find(({ list }) => list.check(bare, version === 4 ? "ipv4" : "ipv6"))
  if (found !== undefined) return found.kind
  const inner = version === 6 ? innerOf(bare) : undefined
  return inner === undefined ? undefined : notOutside(inner)
}
