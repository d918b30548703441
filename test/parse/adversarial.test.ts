/** Lines made to be slow: none may take much longer than an ordinary line of its length. */
import { describe, expect, it } from "vitest"
import { parseLine } from "../../src/parse/all.ts"
import { redact } from "../../src/parse/Redact.ts"

const now = Date.UTC(2026, 10, 23)
const size = 64 * 1024
const fill = (piece: string, head = ""): string => head + piece.repeat(Math.ceil(size / piece.length)).slice(0, size)

const lines: Readonly<Record<string, string>> = {
  spaces: fill(" "),
  "one word": fill("a"),
  digits: fill("1"),
  "digits and dashes": fill("1234-"),
  brackets: fill("["),
  "open pairs": fill("a=", "a=1 "),
  "quotes in pairs": fill('a="\\', "a=1 "),
  "json depth": fill('{"a":', '{"msg":"x","a":'),
  "json array depth": fill("[", '{"msg":'),
  colons: fill("a:", "Jun 14 15:16:01 "),
  "syslog data": fill('[a b="', "<13>1 2003-10-11T22:14:15Z h a 1 - "),
  "syslog pairs": `<13>1 2003-10-11T22:14:15Z h a 1 - [x ${fill('a="b" ')}]`,
  "access quotes": fill('\\"', '1.1.1.1 - - [10/Oct/2000:13:55:36 -0700] "'),
  "secret names": fill("password="),
  "secret quotes": fill('token="'),
  bearers: fill("bearer "),
  "bearer tokens": fill("Bearer aaaaaaa"),
  jwt: fill("eyJaaaaa-"),
  urls: fill("://a:"),
  "url users": fill("://aaaaaaaa"),
  "private keys": fill("-----BEGIN PRIVATE KEY-----"),
  cards: fill("4111 1111 "),
  exceptions: fill("a."),
  "trace ids": fill("trace_id=4bf92f3577b34da6 "),
  bars: fill("|", "2024-01-01T00:00:00Z "),
  levels: fill("ERRO ", "2024-01-01T00:00:00Z ")
}

const best = (line: string): number => {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < 5; i++) {
    const from = performance.now()
    redact(parseLine(line, { now }))
    least = Math.min(least, performance.now() - from)
  }
  return least
}

describe("a line made to be slow", () => {
  const ordinary = fill("the quick brown fox jumps over the lazy dog, ", "2024-01-01T00:00:00Z INFO main: ")
  // Any quadratic step costs hundreds of times an ordinary line; the floor keeps a busy machine from failing this.
  const bound = Math.max(best(ordinary) * 40, 60)

  it.each(Object.keys(lines))("%s", (name) => {
    expect(best(lines[name]!)).toBeLessThan(bound)
  })
})
