/** A server on loopback that speaks OpenAI's `POST /v1/chat/completions`. */
import { type Fake, startFake } from "./Fake.ts"

export interface FakeLlm extends Fake {
  /** What the model answers. */
  content: string
}

export const startLlm = async (): Promise<FakeLlm> => {
  const fake = await startFake(({ method, path }) =>
    method === "POST" && path === "/v1/chat/completions"
      ? { status: 200, body: { choices: [{ message: { role: "assistant", content: self.content } }] } }
      : { status: 404 }
  )
  const self: FakeLlm = { ...fake, content: "{}" }
  return self
}
