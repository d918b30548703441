import { assert, describe, it } from "@effect/vitest"
import { attributesJson, cleanTime } from "../../src/store/LogRows.ts"
import { noon } from "./events.ts"

const day = 86_400_000

describe("rows", () => {
  it("times stay within a day after arrival and what Postgres can say", () => {
    assert.strictEqual(cleanTime(noon + day, noon), noon + day)
    assert.strictEqual(cleanTime(noon + day + 1, noon), noon)
    assert.strictEqual(cleanTime(noon + 0.5, noon), noon)
    assert.strictEqual(cleanTime(Date.parse("0001-01-01T00:00:00Z"), noon), Date.parse("0001-01-01T00:00:00Z"))
  })

  it("attributes that need no cleaning are passed on as they are", () => {
    assert.strictEqual(attributesJson({ a: "\\u0000", b: [1, { c: null }] }), '{"a":"\\\\u0000","b":[1,{"c":null}]}')
  })
})
