/** What is masked in a line stays masked in every part that a format cuts out of it. */
import { describe, expect, it } from "vitest"
import { encode, format } from "../../src/domain/SentEvent.ts"
import { changed, defaultSettings } from "../../src/domain/ProjectSettings.ts"
import { make } from "../../src/parse/Decoder.ts"

const now = Date.UTC(2026, 10, 24)
const custom = [{ name: "customer", pattern: "kdnr=\\d+", replacement: "kdnr=***" }]
const { decoder } = make(changed(defaultSettings, { redaction: { custom } }))
const read = (line: string, given?: string) => JSON.stringify(decoder.lines([line], now, given)[0])

describe("a secret that the words around it tell", () => {
  it.each([
    ["a cookie's pairs", "Set-Cookie: sid=abcdef1234567890; Path=/", "abcdef1234567890"],
    ["a header's pairs", "request headers Cookie: theme=dark; session_data=s3cr3tSess99; uid=42", "s3cr3tSess99"],
    [
      "a query",
      '10.0.0.1 - - [24/Nov/2026:03:20:01 +0000] "GET /cb?code=abc123def456&x=y HTTP/1.1" 200 12',
      "abc123def456"
    ],
    ["a URL's token, of letters only", "connecting to https://db/x?token=aaabbbcccddd", "aaabbbcccddd"],
    ["a project's own rule", "order placed kdnr=778899 total=5", "778899"],
    [
      "a line in Docker's JSON",
      '{"log":"Set-Cookie: sid=abcdef1234567890; Path=/\\n","stream":"stdout","time":"2026-11-24T00:00:00Z"}',
      "abcdef1234567890"
    ]
  ])("%s", (_, line, secret) => {
    expect(read(line)).not.toContain(secret)
    expect(read(encode({ line }), format)).not.toContain(secret)
  })

  it("is masked once: a rule of the project does not meet what a built-in one has written", () => {
    const mail = [{ name: "mail", pattern: "mail", replacement: "post" }]
    const own = make(changed(defaultSettings, { redaction: { custom: mail } })).decoder
    expect(own.lines(["mail to bob@example.com"], now)[0]?.message).toBe("post to [email]@example.com")
  })
})

describe("names that look like addresses", () => {
  it("of structured data in syslog are kept", () => {
    expect(read('<165>1 2026-11-24T03:20:01Z h app - - [exampleSDID@32473 iut="3"] hello')).toContain(
      "exampleSDID@32473.iut"
    )
  })
})
