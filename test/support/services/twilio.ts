/** Twilio's Messages resource: POST makes a message, GET lists those to a number. Errors as its documentation gives them. */
import { type Fake, type Reply, startFake } from "./Fake.ts"

export interface FakeTwilio extends Fake {
  readonly accountSid: string
  readonly token: string
  readonly messages: Array<{
    readonly sid: string
    readonly to: string
    readonly body: string
    readonly date_created: string
  }>
  /** Numbers that answer with one of Twilio's codes. */
  readonly refused: Map<string, readonly [status: number, code: number]>
}

export const startTwilio = async (now: () => number = Date.now): Promise<FakeTwilio> => {
  const accountSid = `AC${"0123456789abcdef".repeat(2)}`
  const token = "token-of-twilio"
  const messages: FakeTwilio["messages"] = []
  const refused: FakeTwilio["refused"] = new Map()
  const auth = `Basic ${Buffer.from(`${accountSid}:${token}`).toString("base64")}`
  const no = (status: number, code: number): Reply => ({
    status,
    body: { code, message: `error ${code}`, more_info: `https://www.twilio.com/docs/errors/${code}`, status }
  })
  const fake = await startFake(({ body, headers, method, path }) => {
    if (headers.authorization !== auth) return no(401, 20003)
    const [route, query] = path.split("?")
    if (route !== `/2010-04-01/Accounts/${accountSid}/Messages.json`) return no(404, 20404)
    if (method === "GET") {
      const to = new URLSearchParams(query).get("To")
      return { status: 200, body: { messages: messages.filter((one) => one.to === to).toReversed() } }
    }
    const form = new URLSearchParams(body)
    const to = form.get("To") ?? ""
    const text = form.get("Body") ?? ""
    if ((form.get("From") ?? form.get("MessagingServiceSid")) === null) return no(400, 21603)
    if (text.length > 1_600) return no(400, 21617)
    const fault = refused.get(to)
    if (fault !== undefined) return no(...fault)
    const sid = `SM${String(messages.length).padStart(32, "0")}`
    messages.push({ sid, to, body: text, date_created: new Date(now()).toUTCString() })
    return { status: 201, body: { sid, to, status: "queued", error_code: null } }
  })
  return { ...fake, accountSid, token, messages, refused }
}
