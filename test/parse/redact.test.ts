import { describe, expect, it } from "@effect/vitest"
import { Schema } from "effect"
import type { LogEvent } from "../../src/domain/LogEvent.ts"
import { luhn, redact, redactText } from "../../src/parse/Redact.ts"
import { prop } from "../support/property.ts"

const event = (message: string, attributes: LogEvent["attributes"] = {}): LogEvent => ({
  time: 0,
  level: "info",
  service: "",
  message,
  attributes
})

describe("redactText", () => {
  it.each([
    ["Authorization: Bearer abc123def456ghi", "Authorization: [redacted]"],
    ["authorization=Basic dXNlcjpwYXNz", "authorization=[redacted]"],
    ["got bearer 9f8e7d6c5b4a3210 from client", "got bearer [redacted] from client"],
    ["password=hunter2 user=bob", "password=[redacted] user=bob"],
    ['{"api_key":"k-1234567","ok":true}', '{"api_key":"[redacted]","ok":true}'],
    ['"{\\"password\\":\\"x y z\\"}"', '"{\\"password\\":\\"[redacted]\\"}"'],
    ["GET /x?access_token=abc1&b=2", "GET /x?access_token=[redacted]&b=2"],
    ["client_secret: 's e c'", "client_secret: '[redacted]'"],
    ["key AKIAIOSFODNN7EXAMPLE used", "key [redacted] used"],
    ["postgres://app:s3cr3t@db:5432/x", "postgres://app:[redacted]@db:5432/x"],
    ["jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1 end", "jwt [redacted] end"],
    [
      "x eyJ.eyJhbGciOiJI.eyJzdWIi.c, -eyJhbGciOiJI.eyJzdWIi. eyJhbGci.ab.c",
      "x eyJ.[redacted], -[redacted] eyJhbGci.ab.c"
    ],
    ["ghp_0123456789abcdefghijABCDEFGHIJ012345", "[redacted]"],
    ["paid with 4111 1111 1111 1111 today", "paid with [redacted] today"],
    ["paid with 378282246310005", "paid with [redacted]"],
    ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- x", "[redacted] x"],
    ["-----BEGIN PRIVATE KEY-----\\nMIIE", "[redacted]"]
  ])("%s", (text, expected) => {
    expect(redactText(text)).toBe(expected)
  })

  it.each([
    "Failed password for invalid user bob from 10.0.0.1",
    "Access denied for user 'root'@'localhost' (using password: YES)",
    "sudo: bob : TTY=pts/0 ; PWD=/home/bob ; USER=root",
    "JSON: unexpected token: identifier",
    "allDrawn= false, wtoken = AppWindowToken{9f4ef63 token=Token{a64f992",
    "block blk_38865049064139660 of 4111111111111112",
    "order 4111-1111 shipped, 1617200000123 ms",
    "https://example.com/a@b",
    "the bearer of bad news"
  ])("leaves %s", (text) => {
    expect(redactText(text)).toBe(text)
  })

  prop("is done after once", [Schema.String], ([text]) => {
    const once = redactText(`password=${text} Bearer ${text}1234567`)
    expect(redactText(once)).toBe(once)
  })
})

describe("redact", () => {
  it("masks attributes by name and by value, at any depth, and leaves the original alone", () => {
    const original = event("x", {
      password: "a",
      user: { access_token: "b", name: "bob", tokens: 5, token_count: 7 },
      headers: [{ Authorization: "c" }, "Bearer 1234567890"],
      Cookie: null,
      authorized: true
    })
    const copy = structuredClone(original)
    expect(redact(original).attributes).toEqual({
      password: "[redacted]",
      user: { access_token: "[redacted]", name: "bob", tokens: 5, token_count: 7 },
      headers: [{ Authorization: "[redacted]" }, "Bearer [redacted]"],
      Cookie: null,
      authorized: true
    })
    expect(original).toEqual(copy)
  })

  it("masks what is named beside its value, inside JSON in a string, and in names and services", () => {
    const clean = redact({
      ...event("x", {
        env: [
          { name: "DB_PASSWORD", value: "hunter2!" },
          { key: "HOST", value: "db1" }
        ],
        body: '{"password":"a b","user":{"api_key":"k-1234567"}}',
        twice: JSON.stringify({ inner: JSON.stringify({ secret: "k-1234567" }) }),
        card: 4_111_111_111_111_111,
        by: { "jane@example.com": 3 }
      }),
      service: "job of jane@example.com"
    })
    expect(clean.service).toBe("job of [email]@example.com")
    expect(clean.attributes).toEqual({
      env: [
        { name: "DB_PASSWORD", value: "[redacted]" },
        { key: "HOST", value: "db1" }
      ],
      body: '{"password":"[redacted]","user":{"api_key":"[redacted]"}}',
      twice: '{"inner":"{\\"secret\\":\\"[redacted]\\"}"}',
      card: "[redacted]",
      by: { "[email]@example.com": 3 }
    })
  })

  it("gives back the same event when there is nothing to mask", () => {
    const clean = event("all is well", { a: { b: ["c", 1] } })
    expect(redact(clean)).toBe(clean)
  })

  it("knows card numbers by their check digit", () => {
    expect(luhn("4111111111111111")).toBe(true)
    expect(luhn("4111111111111112")).toBe(false)
  })
})
