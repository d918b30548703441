/** SendGrid's POST /v3/mail/send. */
import { type Fake, startFake } from "./Fake.ts"

export interface FakeSendGrid extends Fake {
  readonly mails: Array<Record<string, never>>
}

export const startSendGrid = async (): Promise<FakeSendGrid> => {
  const mails: Array<Record<string, never>> = []
  const no = (status: number, message: string) => ({ status, body: { errors: [{ message, field: null, help: null }] } })
  const fake = await startFake(({ body, headers, method, path }) => {
    if (method !== "POST" || path !== "/v3/mail/send") return no(404, "not found")
    if (headers.authorization !== "Bearer SG.test-key-0000")
      return no(401, "The provided authorization grant is invalid")
    const mail = JSON.parse(body) as Record<string, never>
    if (mail["from"] === undefined) return no(400, "The from object must be provided")
    mails.push(mail)
    return { status: 202, headers: { "x-message-id": `m${mails.length}` } }
  })
  return { ...fake, mails }
}
