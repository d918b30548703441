/**
 * A certificate for loopback, made with nothing but Node: it is its own authority, so it serves as `ca` as well. Promises to be
 * valid for an hour from now, for 127.0.0.1 and localhost.
 */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto"

const tlv = (tag: number, ...parts: ReadonlyArray<Buffer>): Buffer => {
  const body = Buffer.concat(parts)
  const size =
    body.length < 128
      ? Buffer.from([body.length])
      : body.length < 256
        ? Buffer.from([0x81, body.length])
        : Buffer.from([0x82, body.length >> 8, body.length & 255])
  return Buffer.concat([Buffer.from([tag]), size, body])
}
const sequence = (...parts: ReadonlyArray<Buffer>) => tlv(0x30, ...parts)
const oid = (hex: string) => tlv(0x06, Buffer.from(hex, "hex"))
const ecdsaSha256 = sequence(oid("2a8648ce3d040302"))
const name = sequence(tlv(0x31, sequence(oid("550403"), tlv(0x0c, Buffer.from("loglytics test")))))
const time = (at: number) => tlv(0x18, Buffer.from(new Date(at).toISOString().replace(/[-:T]|\.\d+/gu, "")))
const extension = (id: string, critical: boolean, value: Buffer) =>
  sequence(oid(id), ...(critical ? [tlv(0x01, Buffer.from([0xff]))] : []), tlv(0x04, value))

const pem = (what: string, der: Buffer) =>
  `-----BEGIN ${what}-----\n${der.toString("base64").replace(/.{1,64}/gu, "$&\n")}-----END ${what}-----\n`

/** Certificate and private key, PEM. */
export const makeCertificate = (): { readonly cert: string; readonly key: string } => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const now = Date.now()
  const addresses = sequence(tlv(0x87, Buffer.from([127, 0, 0, 1])), tlv(0x82, Buffer.from("localhost")))
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaSha256,
    name,
    sequence(time(now - 60_000), time(now + 3_600_000)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    tlv(
      0xa3,
      sequence(
        extension("551d13", true, sequence(tlv(0x01, Buffer.from([0xff])))),
        extension("551d11", false, addresses)
      )
    )
  )
  const signature = sign("sha256", body, privateKey)
  const der = sequence(body, ecdsaSha256, tlv(0x03, Buffer.from([0]), signature))
  return { cert: pem("CERTIFICATE", der), key: privateKey.export({ type: "pkcs8", format: "pem" }) }
}
