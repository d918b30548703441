/** Who may send to a listener that asks for no key: addresses and networks. */
import { BlockList, isIP } from "node:net"

/** Whether a peer's address may send. */
export type Admission = (address: string) => boolean

/** Reads `10.0.0.0/8, 192.168.1.7, fd00::/8`; undefined where a part is none. An empty text admits everybody. */
export const readAdmission = (text: string): Admission | undefined => {
  const list = new BlockList()
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
  for (const part of parts) {
    const [address = "", bits, more] = part.split("/")
    const version = isIP(address)
    const length = bits === undefined ? (version === 6 ? 128 : 32) : Number(bits)
    if (version === 0 || more !== undefined || !/^\d*$/u.test(bits ?? "") || bits === "") return undefined
    if (length > (version === 6 ? 128 : 32)) return undefined
    list.addSubnet(address, length, version === 6 ? "ipv6" : "ipv4")
  }
  return parts.length === 0
    ? () => true
    : (address) => isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4")
}
