import { describe, expect, it } from "vitest"
import { secretOf } from "../../src/http/Auth.ts"

const base64 = (text: string): string => Buffer.from(text).toString("base64")

describe("the key of a request", () => {
  it.each([
    ["Bearer lg_a", "lg_a"],
    ["Splunk lg_a", "lg_a"],
    [`Basic ${base64("elastic:lg_a")}`, "lg_a"],
    [`ApiKey ${base64("any:lg_a")}`, "lg_a"],
    ["ApiKey lg_a", "lg_a"],
    ["", ""]
  ])("%s", (authorization, secret) => expect(secretOf({ authorization })).toBe(secret))

  it("is taken as it is, whatever it would be if it were base64", () => {
    // Every pair of bytes behind lg_, a colon among them.
    for (let n = 0; n < 4_096; n++) {
      const tail = Buffer.from([n >> 4, 0x3a, (n & 15) << 4, 0x3a, 0xc3]).toString("base64url")
      expect(secretOf({ authorization: `ApiKey lg_${tail}` })).toBe(`lg_${tail}`)
    }
  })
})
