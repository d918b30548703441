/** Lines made to be slow: none may take much longer than an ordinary line of its length. */
import { setTimeout as sleep } from "node:timers/promises"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
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

/** Milliseconds of the processor that reading a line takes: a busy machine does not count. */
const cost = (line: string): number => {
  const from = process.cpuUsage()
  redact(parseLine(line, { now }))
  const { system, user } = process.cpuUsage(from)
  return (system + user) / 1000
}

const best = (line: string): number => {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < 5; i++) {
    least = Math.min(least, cost(line))
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

/** Beginnings that lead to each pattern of the formats: what stands behind them is then the attacker's. */
const heads: ReadonlyArray<string> = [
  "",
  "01-01 00:00:00.000 1 1 E ",
  "01-01 00:00:00.000",
  "01-01 00:00:00.000 E/",
  "E/",
  "2024-01-01 00:00:00|",
  "2024-01-01 00:00:00 |",
  "2024-01-01 00:00:00 INFO",
  "2024-01-01 00:00:00 INFO [t] ",
  "2024-01-01 00:00:00 INFO a",
  "2024-01-01T00:00:00Z ",
  "- 1117838570 2005.06.03 R02 2005-06-03-15.42.50.675872 R02 RAS KERNEL INFO ",
  "081109 203615 148 INFO ",
  "2015-10-18 18:01:47,978 INFO [main] ",
  "17/06/09 20:10:40 INFO ",
  "[Sun Dec 04 04:47:44 2005] [error] ",
  "Jan",
  "Jun 14 15:16:01 ",
  "Jun 14 15:16:01 combo sshd",
  "<13>",
  "<13>Jun 14 15:16:01 ",
  "<13>1 2003-10-11T22:14:15Z h a 1 - ",
  "<13>1 2003-10-11T22:14:15Z h a 1 - [x ",
  '<13>1 2003-10-11T22:14:15Z h a 1 - [x a="',
  '1.1.1.1 - - [10/Oct/2000:13:55:36 -0700] "GET ',
  '1.1.1.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 1 "',
  "I0101 00:00:00.000000 ",
  "I0101 00:00:00.000000    1 a",
  "1700000000 ",
  "1234 node comp state 1700000000 1 ",
  "1:M 01 Jan 2020 00:00:00.000",
  "W, [",
  'a=1 b="',
  '{"level":"info","msg":"',
  "a.b.",
  "CEF:0|a|b|c|d|e|5|",
  "LEEF:2.0|a|b|c|d|^|",
  "2016-10-06T00:17:09.669794202Z stdout F ",
  "web-1  | ",
  "http 2018-07-02T22:23:00.186641Z app/a 1.1.1.1:1 - 0 0 0 200 200 0 57 ",
  "1.1.1.1:5 [04/Apr/2024:14:30:18.885] f b/s 0/0/0/1/1 200 1 - - ---- 1/1/1/1/0 0/0 ",
  "[24/Jan/2022:16:51:02 +0000] - 404 404 - GET http a ",
  '[10/Feb/2024:21:23:32 +0100] a 1.1.1.1 0.227 "GET / HTTP/2.0" 200 1 2 ',
  "[Wed Oct 11 14:32:52 2023] [core:error] [pid 1:tid 2] [client 1.1.1.1:5] ",
  '[Wed Oct 11 14:32:52 2023] [:error] [pid 1] [client ::1] ModSecurity: Warning. a [file "',
  "2021/04/01 13:02:31 [error] 31#31: *1 a, client: 1.1.1.1, ",
  "1286536309.586 1 1.1.1.1 TCP_MISS/200 1 GET ",
  "2024-01-02 03:04:05 10.0.0.1 GET /a ",
  "07/11/2022-10:29:01.860293  [**] [1:2:3] ",
  "2023-03-12 11:17:28 UTC [5] a@b ERROR:  ",
  "2021-10-28T08:06:45Z 25 [Note] [MY-010926] [Server] ",
  "# User@Host: a[b] @ c [1.1.1.1]\n# Query_time: 1 ",
  "2022-06-29 15:33:46 H=a ",
  "2022-07-20T21:12:06.270Z,",
  "53,,,1,em0,match,block,in,4,",
  "1,2023/07/06 08:11:40,016401002737,THREAT,a,",
  "[1.1] IN=a OUT= SRC=1.1.1.1 ",
  "type=A msg=audit(1684329817.579:1): ",
  "Jun 14 15:16:01 h dovecot: auth: pam(",
  "[notice] 2024-01-20T13:54:06Z n <0.1> a b 1.1.1.1 u GET ",
  '{"log":"',
  "from 1.1.1.1 user ",
  "password=",
  'token="',
  "https://",
  "eyJ",
  "-----BEGIN PRIVATE KEY-----"
]
const pieces: ReadonlyArray<string> = [
  ...Array.from(" \t\r\"'[](){}<>1:|=-aA@\\/.,_"),
  "-eyJ",
  "eyJaaaaaaa.",
  "a.",
  "a ",
  "A ",
  "://",
  "://a:",
  '\\"',
  "token=",
  'token="',
  'token:\\"',
  "token='a",
  "bearer a",
  "SG.",
  "sk-",
  "4111-",
  "-----END ",
  "trace_id=",
  "level=",
  "ERROR ",
  "1.1.1.1 ",
  "a:",
  "::",
  "a@",
  "[a b",
  ", a: ",
  "a='",
  "[a]",
  'a="b" ',
  '{"a":',
  "Jan "
]
const tails = ["", "x", '"', '" 200 1', '"}', "]", ":"]

const median = (line: string): number => Array.from({ length: 5 }, () => cost(line)).toSorted((a, b) => a - b)[2]!

describe("four times the line costs about four times the time", () => {
  /** Below this many ms no square hides: 64 KB squared are seconds. */
  const floor = 12
  const line = (head: string, piece: string, length: number, tail: string): string =>
    head + piece.repeat(Math.ceil(length / piece.length)).slice(0, length) + tail

  it.each(heads)("behind %j", (head) => {
    const slow: Array<string> = []
    for (const [index, piece] of pieces.entries()) {
      // All tails would take minutes; each piece meets another one behind each head.
      const tail = tails[(index + head.length) % tails.length]!
      const long = line(head, piece, 64 * 1024, tail)
      if (cost(long) < floor) continue
      const ratio = median(long) / Math.max(median(line(head, piece, 16 * 1024, tail)), floor / 2)
      if (ratio >= 12) slow.push(JSON.stringify([head, piece, tail, ratio]))
    }
    expect(slow).toEqual([])
  })

  it.each(Array.from("([{<\"'=:|,.-/1a@ "))("in a line of 256 KB of %j", (char) => {
    const [long, short] = [median(line("", char, 256 * 1024, "")), median(line("", char, 64 * 1024, ""))]
    expect(long / Math.max(short, floor)).toBeLessThan(12)
  })

  it("holds for blanks before what never comes", () => {
    for (const head of heads) for (const blank of [" ", "\t", "\r", "\n"]) cost(line(head, blank, 64 * 1024, "x"))
    const bound = floor * 3
    expect(median(line("01-01 00:00:00.000 1 1 E ", " ", 256 * 1024, "x"))).toBeLessThan(bound)
    expect(median(line("2024-01-01 00:00:00|", " ", 256 * 1024, "x"))).toBeLessThan(bound)
    expect(median(line("", "-eyJ", 256 * 1024, ""))).toBeLessThan(bound)
  })

  it("never throws, however long the line", () => {
    for (const head of heads) for (const piece of ['\\"', 'a="', " "]) cost(line(head, piece, 1024 * 1024, '"]'))
  }, 180_000)
})

describe("keys that a sender chose", () => {
  it("are not kept when they are long", async () => {
    setFlagsFromString("--expose-gc")
    const collect = runInNewContext("gc") as () => void
    const held = async (): Promise<number> => {
      // The engine lets go of an object's shape, and then of its keys, only in later turns and rounds.
      for (let round = 0; round < 4; round++) {
        await sleep(10)
        collect()
      }
      return process.memoryUsage().heapUsed
    }
    const before = await held()
    for (let i = 0; i < 2000; i++) {
      const key = `${i}${"k".repeat(16 * 1024)}`
      redact(parseLine(`{"${key}":"x","meta":{"${key}":1}}`, { now }))
      redact(parseLine(`${key}=x b=1`, { now }))
      // Short keys cut from long lines must not keep the lines.
      redact(parseLine(`k${i}aaaaaaaaaaaaaaaaaaaaaaaa=1 b="${"v".repeat(16 * 1024)}"`, { now }))
    }
    // Kept, the keys or the lines are 30 MB each.
    expect((await held()) - before).toBeLessThan(8 * 1024 * 1024)
  }, 180_000)
})
