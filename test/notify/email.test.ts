import { Effect, Redacted } from "effect"
import { type AddressObject, type ParsedMail, simpleParser } from "mailparser"
import type { AddressInfo } from "node:net"
import { createSecureContext, getCACertificates, setDefaultCACertificates } from "node:tls"
import { callbackify } from "node:util"
import { SMTPServer } from "smtp-server"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { Defaults } from "../../src/notify/Channel.ts"
import { email } from "../../src/notify/channels/email.ts"
import { makeCertificate } from "../support/certificate.ts"
import { type FakeSendGrid, startSendGrid } from "../support/services/sendgrid.ts"
import { alerting, send } from "./messages.ts"

const from = "Loglytics <alerts@example.com>"
const to = ["ops@example.com", "oncall@example.com"]
const run = Effect.runPromise

describe("e-mail by SendGrid", () => {
  let fake: FakeSendGrid
  beforeAll(async () => void (fake = await startSendGrid()))
  afterAll(() => fake.close())
  beforeEach(() => {
    fake.mails.length = 0
    fake.faults.length = 0
  })
  const given = () => ({
    settings: { from, to, sendgridUrl: fake.url },
    secrets: { sendgridApiKey: "SG.test-key-0000" }
  })

  it("sends text and page, keeps an incident together, and takes the key from the environment", async () => {
    await run(send(email, { ...given(), message: alerting("firing") }))
    const env = { sendgridApiKey: Redacted.make("SG.test-key-0000") }
    const resolved = send(email, {
      ...given(),
      secrets: {},
      message: alerting("resolved", { to: ["one@example.com"] })
    })
    await run(resolved.pipe(Effect.provideService(Defaults, env)))
    const [first, second] = fake.mails as unknown as ReadonlyArray<{
      readonly personalizations: ReadonlyArray<{ readonly to: ReadonlyArray<{ readonly email: string }> }>
      readonly headers: Record<string, string>
      readonly content: ReadonlyArray<{ readonly type: string; readonly value: string }>
    }>
    expect(first!.personalizations[0]!.to.map((one) => one.email)).toEqual(to)
    expect(second!.personalizations[0]!.to.map((one) => one.email)).toEqual(["one@example.com"])
    expect(first!.content.map(({ type }) => type)).toEqual(["text/plain", "text/html"])
    expect(first!.content[1]!.value).toContain("payment 1 failed &lt;b&gt;&amp;&lt;/b&gt;")
    expect(first!.headers["References"]).toBe(second!.headers["References"])
    expect(first!.headers["Message-ID"]).not.toBe(second!.headers["Message-ID"])
  })

  it.each([
    [{ kind: "status", status: 429 }, true],
    [{ kind: "status", status: 500 }, true],
    [{ kind: "cut" }, true],
    [{ kind: "status", status: 403, body: { errors: [{ message: "the from address is not verified" }] } }, false],
    [{ kind: "status", status: 400 }, false]
  ] as const)("fails well: %o", async (fault, retryable) => {
    fake.faults.push(fault)
    const error = await run(Effect.flip(send(email, { ...given(), message: alerting("firing") })))
    expect(error.retryable).toBe(retryable)
    expect(JSON.stringify(error)).not.toContain("SG.test-key")
  })
})

describe("e-mail by SMTP", () => {
  const mails: Array<ParsedMail> = []
  let refuse: { readonly code: number; readonly text: string } | undefined
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onAuth: (auth, _session, done) =>
      auth.password === "right-password" ? done(null, { user: "u" }) : done(new Error("Invalid username or password")),
    onData: (stream, _session, done) => {
      const take = async () => {
        const mail = await simpleParser(stream)
        if (refuse !== undefined) throw Object.assign(new Error(refuse.text), { responseCode: refuse.code })
        mails.push(mail)
      }
      callbackify(take)(done)
    }
  })
  beforeAll(() => new Promise<void>((done) => server.listen(0, "127.0.0.1", () => done())))
  afterAll(() => new Promise<void>((done) => server.close(() => done())))
  beforeEach(() => {
    mails.length = 0
    refuse = undefined
  })
  const given = (username?: string) => ({
    settings: {
      from,
      to,
      smtp: {
        host: "127.0.0.1",
        port: (server.server.address() as AddressInfo).port,
        security: "none" as const,
        ...(username === undefined ? {} : { username })
      }
    }
  })

  it("sends text, page and attachments to a real server", async () => {
    const attachments = [
      { name: "week.txt", type: "text/plain", base64: Buffer.from("all is well").toString("base64") }
    ]
    await run(send(email, { ...given(), message: alerting("firing", { attachments }) }))
    const [mail] = mails
    expect(mail!.subject).toBe("Firing: payments <fail>")
    expect((mail!.to as AddressObject).value.map(({ address }) => address)).toEqual(to)
    expect(mail!.text).toContain("7 lines in 1 minute & more")
    expect(mail!.html).toContain("Open in Loglytics")
    expect(mail!.attachments[0]!.content.toString()).toBe("all is well")
    expect(mail!.headers.get("auto-submitted")).toBe("auto-generated")
  })

  it("gives a message that is sent again the same id", async () => {
    await run(send(email, { ...given(), message: alerting("firing") }))
    await run(send(email, { ...given(), message: alerting("firing"), repeated: true }))
    expect(mails[0]!.messageId).toBe(mails[1]!.messageId)
  })

  it("connects to the address that was judged, and holds the certificate against the name", async () => {
    const { cert, key } = makeCertificate()
    const asked: Array<string> = []
    const secure = new SMTPServer({
      authOptional: true,
      cert,
      key,
      SNICallback: (name, done) => {
        asked.push(name)
        done(null, createSecureContext({ cert, key }))
      },
      onData: (stream, _session, done) => void stream.resume().on("end", () => done())
    })
    await new Promise<void>((done) => secure.listen(0, "127.0.0.1", () => done()))
    const before = getCACertificates("default")
    try {
      const { port } = secure.server.address() as AddressInfo
      const settings = { from, to, smtp: { host: "localhost", port, security: "starttls" as const } }
      const refused = await run(Effect.flip(send(email, { settings, message: alerting("firing") })))
      expect(refused).toMatchObject({ retryable: false, reason: expect.stringContaining("certificate") })
      setDefaultCACertificates([...before, cert])
      await run(send(email, { settings, message: alerting("firing") }))
      expect(asked).toEqual(["localhost", "localhost"])
    } finally {
      setDefaultCACertificates(before)
      await new Promise<void>((done) => secure.close(() => done()))
    }
  })

  it("tells what passes by itself from what does not, and no password", async () => {
    refuse = { code: 451, text: "greylisted, come again" }
    expect(await run(Effect.flip(send(email, { ...given(), message: alerting("firing") })))).toMatchObject({
      retryable: true
    })
    refuse = { code: 550, text: "no such mailbox" }
    const error = await run(Effect.flip(send(email, { ...given(), message: alerting("firing") })))
    expect(error).toMatchObject({ retryable: false })
    expect(error.reason).toContain("no such mailbox")
    refuse = undefined
    const secrets = { smtpPassword: "wrong-password" }
    const denied = await run(Effect.flip(send(email, { ...given("u"), secrets, message: alerting("firing") })))
    expect(denied.retryable).toBe(false)
    expect(JSON.stringify(denied)).not.toContain("wrong-password")
  })
})
