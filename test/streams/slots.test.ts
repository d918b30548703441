/** The rule that `test/support/slots.ts` holds all tests to does refuse. */
import { expect, it } from "vitest"
import { openClient } from "../support/clean.ts"
import { redisUrl } from "../support/engine.ts"

it("keys of two slots in one command, pipeline or script are refused", async () => {
  const client = await openClient(redisUrl, "t:slots")
  const [one, other] = ["t:{default}:a", "t:{low-priority}:a"]
  const script = (...args: ReadonlyArray<string>) => client.eval("return 1", 1, one, ...args)
  await expect(client.mget(one, other)).rejects.toThrow(/CROSSSLOT/u)
  await expect(client.pipeline().get(one).get(other).exec()).rejects.toThrow(/slot/iu)
  await expect(script("t:{low-priority}:")).rejects.toThrow(/CROSSSLOT/u)
  expect(await script("t:{default}:", "t:control")).toBe(1)
  expect(await client.mget(one, "t:{default}:b")).toEqual([null, null])
  client.disconnect()
})
