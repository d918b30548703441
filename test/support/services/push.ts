/**
 * A push service and Firebase on one port. The browser's part is written from the RFCs and knows nothing of the package that
 * encrypts: it checks the VAPID signature (RFC 8292) and opens the message (RFC 8291, 8188).
 */
import {
  createDecipheriv,
  createECDH,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  verify
} from "node:crypto"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { type Fake, type Reply, startFake } from "./Fake.ts"

const fromUrl = (text: string): Buffer => Buffer.from(text, "base64url")
const part = (text: string): Record<string, never> =>
  JSON.parse(fromUrl(text).toString("utf8")) as Record<string, never>

export interface Browser {
  readonly subscription: {
    readonly endpoint: string
    readonly keys: { readonly p256dh: string; readonly auth: string }
  }
  /** What it has shown. */
  readonly shown: Array<{ readonly title: string; readonly tag: string }>
  /** Has withdrawn its subscription. */
  gone: boolean
}

export interface FakePush {
  /** Firebase and Google's tokens; its faults also befall the push service. */
  readonly fcm: Fake
  readonly url: string
  readonly faults: Fake["faults"]
  readonly serviceAccount: string
  readonly devices: Map<string, Array<Record<string, never>>>
  readonly browser: (name: string) => Browser
  /** What was wrong with requests, in words. */
  readonly wrong: Array<string>
  readonly close: () => Promise<void>
}

/** `k=` of the header is the server's public key, by which its JWT must be signed. */
const vapidFault = (authorization: string | undefined, audience: string): string | undefined => {
  const [, jwt = "", key = ""] = /^vapid t=([^,\s]+), ?k=(\S+)$/u.exec(authorization ?? "") ?? []
  const [head = "", claims = "", signature = ""] = jwt.split(".")
  const point = fromUrl(key)
  if (point.length !== 65) return "no VAPID key"
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url")
  }
  const signed = verify(
    "sha256",
    Buffer.from(`${head}.${claims}`),
    { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" },
    fromUrl(signature)
  )
  if (!signed) return "wrong signature"
  const { aud, exp, sub } = part(claims) as unknown as { aud: string; exp: number; sub: string }
  if (aud !== audience) return `wrong audience ${aud}`
  if (!/^(?:mailto:|https:)/u.test(sub)) return `wrong subject ${sub}`
  return exp > Date.now() / 1_000 && exp <= Date.now() / 1_000 + 86_400 ? undefined : "wrong expiry"
}

/** Opens a message of the content coding aes128gcm for the keys of a browser. */
const open = (body: Buffer, ecdh: ReturnType<typeof createECDH>, auth: Buffer): string => {
  const salt = body.subarray(0, 16)
  const idLength = body[20] ?? 0
  const sender = body.subarray(21, 21 + idLength)
  const sealed = body.subarray(21 + idLength)
  const prk = createHmac("sha256", auth).update(ecdh.computeSecret(sender)).digest()
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), ecdh.getPublicKey(), sender, Buffer.from([1])])
  const secret = createHmac("sha256", prk).update(info).digest()
  const key = Buffer.from(hkdfSync("sha256", secret, salt, "Content-Encoding: aes128gcm\0", 16))
  const nonce = Buffer.from(hkdfSync("sha256", secret, salt, "Content-Encoding: nonce\0", 12))
  const decipher = createDecipheriv("aes-128-gcm", key, nonce)
  decipher.setAuthTag(sealed.subarray(-16))
  const plain = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
  return plain.subarray(0, plain.lastIndexOf(2)).toString("utf8")
}

export const startPush = async (): Promise<FakePush> => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 })
  const browsers = new Map<string, { browser: Browser; ecdh: ReturnType<typeof createECDH>; auth: Buffer }>()
  const devices: FakePush["devices"] = new Map()
  const wrong: Array<string> = []
  const email = "push@shop-1.iam.gserviceaccount.com"

  const tokens = (form: URLSearchParams): Reply => {
    const [head = "", claims = "", signature = ""] = (form.get("assertion") ?? "").split(".")
    const good = verify("RSA-SHA256", Buffer.from(`${head}.${claims}`), publicKey, fromUrl(signature))
    const { iss, scope } = part(claims) as unknown as { iss: string; scope: string }
    return good && iss === email && scope === "https://www.googleapis.com/auth/firebase.messaging"
      ? { status: 200, body: { access_token: "ya29.access", expires_in: 3_599, token_type: "Bearer" } }
      : { status: 400, body: { error: "invalid_grant", error_description: "Invalid JWT Signature." } }
  }
  const sent = (body: string): Reply => {
    const { message } = JSON.parse(body) as { message: Record<string, never> & { token: string } }
    const kept = devices.get(message.token)
    if (kept !== undefined) {
      kept.push(message)
      return { status: 200, body: { name: `projects/shop-1/messages/${kept.length}` } }
    }
    const details = [{ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", errorCode: "UNREGISTERED" }]
    const error = { code: 404, message: "Requested entity was not found.", status: "NOT_FOUND", details }
    return { status: 404, body: { error } }
  }
  const fcm = await startFake(({ body, headers, path }) => {
    if (path === "/token") return tokens(new URLSearchParams(body))
    if (headers.authorization !== "Bearer ya29.access") return { status: 401, body: { error: { message: "who?" } } }
    return path === "/v1/projects/shop-1/messages:send" ? sent(body) : { status: 404, body: "" }
  })

  // The bodies of Web Push are bytes, which the other fake doesn't keep.
  let url = ""
  const service: Server = createServer((request, response) => {
    const parts: Array<Buffer> = []
    request.on("data", (bytes: Buffer) => parts.push(bytes))
    request.on("end", () => {
      const fault = fcm.faults.shift()
      if (fault?.kind === "status") return void response.writeHead(fault.status, fault.headers).end()
      if (fault?.kind === "cut") return void request.socket.destroy()
      const found = browsers.get(request.url ?? "")
      if (found === undefined || found.browser.gone) return void response.writeHead(410).end("gone")
      const fault2 = vapidFault(request.headers.authorization, url)
      const ttl = Number(request.headers["ttl"])
      if (fault2 !== undefined || !(ttl > 0) || request.headers["content-encoding"] !== "aes128gcm") {
        wrong.push(fault2 ?? "headers")
        return void response.writeHead(403).end()
      }
      found.browser.shown.push(
        JSON.parse(open(Buffer.concat(parts), found.ecdh, found.auth)) as Browser["shown"][number]
      )
      return void response.writeHead(201).end()
    })
  })
  await new Promise<void>((done) => service.listen(0, "127.0.0.1", done))
  url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`

  return {
    fcm,
    url,
    faults: fcm.faults,
    devices,
    wrong,
    serviceAccount: JSON.stringify({
      type: "service_account",
      project_id: "shop-1",
      client_email: email,
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
      token_uri: `${fcm.url}/token`
    }),
    browser: (name) => {
      const ecdh = createECDH("prime256v1")
      const auth = randomBytes(16)
      const keys = { p256dh: ecdh.generateKeys("base64url"), auth: auth.toString("base64url") }
      const browser: Browser = { subscription: { endpoint: `${url}/send/${name}`, keys }, shown: [], gone: false }
      browsers.set(`/send/${name}`, { browser, ecdh, auth })
      return browser
    },
    close: async () => {
      await fcm.close()
      service.closeAllConnections()
      await new Promise<void>((done) => service.close(() => done()))
    }
  }
}
