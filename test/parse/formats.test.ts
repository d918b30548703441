import { readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import type { LogEvent } from "../../src/domain/LogEvent.ts"
import { parseLine, parsers } from "../../src/parse/all.ts"
import { type FormatSpec, tryOn } from "../../src/parse/Custom.ts"
import { library } from "../../src/parse/Grok.ts"
import type { Memory } from "../../src/parse/Parser.ts"
import { examples as perFormat } from "./examples.ts"
import { programs } from "./examples_programs.ts"
import { prop } from "../support/property.ts"

const now = Date.UTC(2026, 10, 23, 20)
const examples = [...perFormat, ...programs]
const parse = (line: string, format?: string): LogEvent =>
  parseLine(line, format === undefined ? { now } : { now, format })
/** The event with what a case says of it; attributes are said whole or not at all. */
const whole = (event: LogEvent, said: Partial<LogEvent>): LogEvent => ({ ...event, ...said })

describe("json", () => {
  it("takes what the usual loggers call things", () => {
    const line =
      '{"@timestamp":"2024-05-06T07:08:09.123Z","log.level":"WARN","message":"slow","service":{"name":"api","version":"2"},"trace":{"id":"4BF92F35-77B3-4DA6-A3CE-929D0E0E4736"},"span_id":"00f067aa0ba902b7","http":{"status":200},"n":1}'
    expect(parse(line)).toEqual({
      time: Date.UTC(2024, 4, 6, 7, 8, 9, 123),
      level: "warn",
      service: "api",
      message: "slow",
      attributes: { service: { version: "2" }, http: { status: 200 }, n: 1 },
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      spanId: "00f067aa0ba902b7"
    })
  })

  it.each<readonly [string, Partial<LogEvent>]>([
    [
      '{"level":30,"time":1617200000123,"pid":7,"msg":"up","name":"web"}',
      { level: "info", time: 1_617_200_000_123, message: "up", service: "web", attributes: { "process.pid": 7 } }
    ],
    ['{"level":50,"msg":"x"}', { level: "error" }],
    [
      '{"levelname":"CRITICAL","asctime":"2024-05-06 07:08:09,123","name":"a.b","message":"x"}',
      { level: "fatal", time: Date.UTC(2024, 4, 6, 7, 8, 9, 123), service: "a.b" }
    ],
    [
      '{"ts":1617200000.5,"level":"debug","logger":"zap","msg":"x"}',
      { level: "debug", time: 1_617_200_000_500, service: "zap" }
    ],
    [
      '{"severityNumber":17,"body":"x","timeUnixNano":"1617200000123456789"}',
      { level: "error", time: 1_617_200_000_123, message: "x" }
    ],
    ['{"PRIORITY":"3","MESSAGE":"x","SYSLOG_IDENTIFIER":"cron"}', { level: "error", message: "x", service: "cron" }],
    [
      '{"severity":"NOTICE","textPayload":"y","timestamp":{"seconds":1617200000,"nanos":5000000}}',
      { level: "info", time: 1_617_200_000_005 }
    ],
    [
      '{"@t":"2024-05-06T07:08:09Z","@m":"hi","@l":"Warning"}',
      { level: "warn", message: "hi", time: Date.UTC(2024, 4, 6, 7, 8, 9) }
    ],
    [
      '{"t":{"$date":"2022-07-28T18:16:40.466+02:00"},"s":"E","c":"NETWORK","msg":"x"}',
      { level: "error", service: "NETWORK", time: Date.UTC(2022, 6, 28, 16, 16, 40, 466) }
    ],
    [
      '{"log":"2020/01/01 00:00:00 [error] boom\\n","stream":"stderr","time":"2020-01-01T00:00:00.1Z"}',
      {
        level: "error",
        message: "2020/01/01 00:00:00 [error] boom",
        time: 1_577_836_800_100,
        attributes: { "log.iostream": "stderr" }
      }
    ],
    ['{"level":4,"levelName":"ERROR","message":"x"}', { level: "error", attributes: { level: 4 } }],
    [
      '{"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","msg":"x"}',
      { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" }
    ],
    // What cannot be what its name says stays an attribute.
    [
      '{"level":"purple","time":"soon","trace_id":"abc","msg":"x"}',
      { level: "unknown", time: now, attributes: { level: "purple", time: "soon", trace_id: "abc" } }
    ],
    ['{"a":1}', { message: '{"a":1}', attributes: { a: 1 } }],
    ['{"msg":"x","constructor":"y","__proto__":{"z":1}}', { message: "x", attributes: { constructor: "y" } }],
    ["[1,2]", { message: "[1,2]", attributes: {} }],
    ['{"a":', { message: '{"a":', attributes: {} }]
  ])("%s", (line, expected) => {
    expect(parse(line)).toEqual(whole(parse(line), expected))
  })

  it("strips NUL and lone surrogates everywhere", () => {
    const event = parse('{"msg":"a\\u0000b\\ud800c\\ud83d\\ude00","k\\u0000":{"\\udc00x":["\\u0000"]}}')
    expect(event.message).toBe("abc😀")
    expect(event.attributes).toEqual({ k: { x: [""] } })
    expect(parse("plain \0 text \ud800!").message).toBe("plain  text !")
  })

  it("bounds depth and width", () => {
    const deep = parse(`{"msg":"x","a":${'{"a":'.repeat(5000)}1${"}".repeat(5000)}}`)
    expect(JSON.stringify(deep.attributes).length).toBeLessThan(200)
    const wide = parse(JSON.stringify(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, i]))))
    expect(Object.keys(wide.attributes).length).toBe(257)
    expect(wide.attributes["dropped_attributes"]).toBe(744)
  })
})

describe("logfmt", () => {
  it.each<readonly [string, Partial<LogEvent>]>([
    [
      'time=2024-01-12T22:55:30.265Z level=WARN msg="Incorrect \\"name\\"" client_ip=1.2.3.4 count=3 ok=true component=auth',
      {
        level: "warn",
        time: Date.UTC(2024, 0, 12, 22, 55, 30, 265),
        message: 'Incorrect "name"',
        service: "auth",
        attributes: { "client.address": "1.2.3.4", count: 3, ok: true }
      }
    ],
    [
      "at=info method=GET path=/ host=x status=200",
      {
        message: "at=info method=GET path=/ host=x status=200",
        attributes: { at: "info", method: "GET", path: "/", "host.name": "x", status: 200 }
      }
    ],
    ["a=1 is not enough words to be logfmt", { message: "a=1 is not enough words to be logfmt", attributes: { a: 1 } }],
    ['a=1 b="unclosed', { attributes: { a: 1 } }],
    ["a=1 flag b=2", { attributes: { a: 1, b: 2, flag: true } }]
  ])("%s", (line, expected) => {
    expect(parse(line)).toEqual(whole(parse(line), expected))
  })
})

describe("syslog", () => {
  it.each<readonly [string, Partial<LogEvent>]>([
    [
      '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog 8710 ID47 [exampleSDID@32473 iut="3" eventSource="App]lication"][other a="\\"b"] An application event',
      {
        level: "info",
        time: Date.UTC(2003, 9, 11, 22, 14, 15, 3),
        service: "evntslog",
        message: "An application event",
        attributes: {
          "syslog.facility": "local4",
          "syslog.priority": 165,
          "syslog.version": 1,
          "host.name": "mymachine.example.com",
          "process.pid": 8710,
          "syslog.msgid": "ID47",
          "exampleSDID@32473.iut": "3",
          "exampleSDID@32473.eventSource": "App]lication",
          "other.a": '"b'
        }
      }
    ],
    [
      "<34>1 2003-10-11T22:14:15.003Z host su - ID47 - \uFEFF'su root' failed",
      {
        level: "fatal",
        service: "su",
        message: "'su root' failed",
        attributes: {
          "syslog.facility": "auth",
          "syslog.priority": 34,
          "syslog.version": 1,
          "host.name": "host",
          "syslog.msgid": "ID47"
        }
      }
    ],
    [
      "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
      {
        level: "fatal",
        service: "su",
        message: "'su root' failed",
        attributes: { "syslog.facility": "auth", "syslog.priority": 34, "host.name": "mymachine" }
      }
    ],
    [
      "<13>Oct 11 22:14:15 su[7]: no host",
      {
        level: "info",
        service: "su",
        message: "no host",
        attributes: { "syslog.facility": "user", "syslog.priority": 13, "process.pid": 7 }
      }
    ],
    ["<30>dockerd[55]: no time", { level: "info", service: "dockerd", message: "no time", time: now }],
    [
      "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure",
      {
        level: "unknown",
        service: "sshd(pam_unix)",
        message: "authentication failure",
        attributes: { "host.name": "combo", "process.pid": 19939 }
      }
    ],
    ["Jul 27 14:41:57 combo syslogd 1.4.1: restart.", { service: "syslogd 1.4.1", message: "restart." }],
    [
      "2023-10-05T11:47:20.799042+02:00 leto kernel: [869507.505196] su: segfault",
      { time: Date.UTC(2023, 9, 5, 9, 47, 20, 799), service: "kernel", message: "[869507.505196] su: segfault" }
    ],
    [
      'Jun 14 15:16:01 web app[1]: {"level":"error","msg":"boom","user":"u"}',
      {
        level: "error",
        service: "app",
        message: "boom",
        attributes: { "host.name": "web", "process.pid": 1, user: "u" }
      }
    ],
    ["Jun 14 15:16:01 web app[1]: ERROR boom", { level: "error", message: "ERROR boom" }],
    ["Jun 14 15:16:01 web xinetd[1]: warning: can't get client address", { level: "warn" }],
    // Not syslog: another logger's line with an ISO time.
    [
      "2024-05-06T07:08:09Z INFO main: started",
      { service: "main", level: "info", message: "2024-05-06T07:08:09Z INFO main: started" }
    ],
    ["<999>Oct 11 22:14:15 a b: c", { message: "<999>Oct 11 22:14:15 a b: c" }]
  ])("%s", (line, expected) => {
    expect(parse(line)).toEqual(whole(parse(line), expected))
  })
})

describe("access", () => {
  it.each<readonly [string, Partial<LogEvent>]>([
    [
      '127.0.0.1 bob frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326',
      {
        level: "info",
        time: Date.UTC(2000, 9, 10, 20, 55, 36),
        attributes: {
          "client.address": "127.0.0.1",
          "user.identity": "bob",
          "user.name": "frank",
          "http.request.method": "GET",
          "url.path": "/apache_pb.gif",
          "network.protocol.name": "http",
          "network.protocol.version": "1.0",
          "http.response.status_code": 200,
          "http.response.body.size": 2326
        }
      }
    ],
    [
      '172.17.0.1 - alice [01/Apr/2021:12:02:31 +0000] "POST /not-found HTTP/1.1" 404 - "http://localhost/somewhere" "Mozilla/5.0 \\"x\\"" "2.75"',
      {
        level: "warn",
        attributes: {
          "client.address": "172.17.0.1",
          "user.name": "alice",
          "http.request.method": "POST",
          "url.path": "/not-found",
          "network.protocol.name": "http",
          "network.protocol.version": "1.1",
          "http.response.status_code": 404,
          "http.request.header.referer": "http://localhost/somewhere",
          "user_agent.original": 'Mozilla/5.0 "x"',
          "http.extra": ["2.75"]
        }
      }
    ],
    [
      'example.com:443 ::1 - - [01/Apr/2021:12:02:31 +0000] "\\x16\\x03" 502 0 "-" "-"',
      {
        level: "error",
        attributes: {
          "server.address": "example.com",
          "server.port": 443,
          "client.address": "::1",
          "http.request.line": "\\x16\\x03",
          "http.response.status_code": 502,
          "http.response.body.size": 0
        }
      }
    ],
    ["- - - [01/Apr/2021:12:02:31 +0000] no request 200", { level: "unknown" }]
  ])("%s", (line, expected) => {
    const event = parse(line)
    expect(event).toEqual(whole(event, { message: line, ...expected }))
  })
})

describe("plain", () => {
  it.each([
    ["2015-10-18 18:01:47,978 INFO [RMCommunicator Allocator] org.apache.X: Created", "info", "org.apache.X"],
    ["2016-09-28 04:30:30, Info                  CBS    Loaded", "info", "CBS"],
    ["03-17 16:13:38.811  1702  2395 V Some Tag : x", "trace", "Some Tag"],
    ["D/ActivityManager(  585): x", "debug", "ActivityManager"],
    ["2022-12-17 22:04:36.2|Warn|Auth|Auth-Failure ip 1.2.3.4", "warn", "Auth"],
    ["20171223-22:15:29:606|Step_LSC|30002312|onStandStepChanged 3579", "unknown", "Step_LSC"],
    ["[2026-02-05 12:34:56] local.WARNING: AUDIT: x", "warn", "AUDIT"],
    ["2023/05/12 12:17:34 ...ers/web/auth/auth.go:206:SignInPost() [W] x", "warn", ""],
    ["03-Nov-2022 13:34:52.235 security: error: client @0x7fb04c007328", "error", ""],
    ["2024-01-01T00:00:00Z\tINFO\tcontroller\tstarted", "info", "controller"],
    ["time 12 level=error something happened", "error", ""],
    ["ERROR: relation does not exist", "error", ""],
    ["warning: unused variable", "warn", ""],
    ["info: Microsoft.Hosting.Lifetime[0]", "info", "Microsoft.Hosting.Lifetime"],
    ["WARNING:root:careful", "warn", ""],
    ['java.lang.IllegalStateException: boom at "x"', "error", ""],
    ["Traceback (most recent call last):", "error", ""],
    ["1:M 02 Jan 2020 03:04:05.006 # Server started", "warn", ""],
    // Words of running text are no levels.
    ["no error found in the log", "unknown", ""],
    ["2024-01-01T00:00:00Z the fatal flaw", "unknown", ""],
    ["An Error occurred", "unknown", ""],
    ["constructor: x", "unknown", ""]
  ])("%s", (line, level, service) => {
    const event = parse(line)
    expect([event.level, event.service]).toEqual([level, service])
    expect(event.message).toBe(line)
  })

  it("finds trace ids", () => {
    const line = "2024-01-01T00:00:00Z INFO x trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7"
    expect(parse(line)).toMatchObject({ traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" })
  })
})

describe("a format that is known", () => {
  it("is the only one asked, and plain takes what it refuses", () => {
    expect(parse('{"msg":"x"}', "plain").message).toBe('{"msg":"x"}')
    expect(parse("not json", "json").message).toBe("not json")
    expect(parse('{"msg":"x"}', "nonsense").message).toBe('{"msg":"x"}')
  })
})

describe("every format", () => {
  it.each(examples.map((example) => [`${example.format}: ${example.line.slice(0, 100)}`, example] as const))(
    "%s",
    (_, { attributes, format, line, time, ...said }) => {
      const event = parse(line)
      expect(event).toMatchObject(time === undefined ? said : { ...said, time: Date.parse(time) })
      expect(event.attributes).toMatchObject(attributes ?? {})
      // The dispatcher comes to the same format as a source that names it.
      expect(parse(line, format)).toEqual(event)
    }
  )

  it("has an example", () => {
    expect(parsers.map(({ name }) => name).filter((name) => !examples.some(({ format }) => format === name))).toEqual(
      []
    )
  })
})

describe("rows under a header", () => {
  const under = (lines: ReadonlyArray<string>): ReadonlyArray<LogEvent> => {
    const memory: Memory = {}
    return lines.map((line) => parseLine(line, { now, memory }))
  }

  it("are read by the columns of CSV and TSV", () => {
    const [, row, quoted] = under([
      "time,level,service,message,status",
      "2024-01-02T03:04:05Z,warn,api,slow,200",
      '2024-01-02T03:04:06Z,error,api,"a ""quoted"", text",500'
    ])
    expect(row).toMatchObject({ level: "warn", service: "api", message: "slow", attributes: { status: 200 } })
    expect(quoted).toMatchObject({ time: Date.UTC(2024, 0, 2, 3, 4, 6), message: 'a "quoted", text' })
    expect(under(["timestamp\tmsg", "1617200000\thi"])[1]).toMatchObject({ time: 1_617_200_000_000, message: "hi" })
  })

  it("are read by #Fields, also when they change", () => {
    const events = under([
      "#Software: Microsoft Internet Information Services 10.0",
      "#Fields: date time s-ip cs-method cs-uri-stem sc-status time-taken",
      "2024-01-02 03:04:05 10.0.0.1 GET /a 404 12",
      "#Fields: date time c-ip sc-status",
      "2024-01-02 03:04:06 1.2.3.4 200"
    ])
    expect(events[2]!.attributes).toMatchObject({ "url.path": "/a", "http.response.status_code": 404, duration_ms: 12 })
    expect(events[4]!.attributes).toEqual({ "client.address": "1.2.3.4", "http.response.status_code": 200 })
  })

  it("are flow logs with fields of one's own choice", () => {
    const [, row] = under([
      "version vpc-id interface-id type srcaddr dstaddr srcport dstport protocol start end action tcp-flags pkt-srcaddr",
      "3 vpc-0a eni-1 IPv4 10.0.0.62 52.213.180.42 43416 22 6 1566848875 1566848933 REJECT 2 10.20.33.164"
    ])
    expect(row).toMatchObject({
      time: 1_566_848_875_000,
      level: "warn",
      attributes: {
        "source.address": "10.0.0.62",
        "destination.port": 22,
        "network.transport": "tcp",
        "network.tcp.flags": 2,
        "aws.vpc.id": "vpc-0a",
        "aws.vpc.packet_source_address": "10.20.33.164"
      }
    })
  })

  it("are plain lines where no header was, and where a row does not fit", () => {
    expect(under(["just a line, with a comma", "a,b"]).map(({ message }) => message)).toEqual([
      "just a line, with a comma",
      "a,b"
    ])
    expect(under(["time,message", "one,two,three"])[1]!.message).toBe("one,two,three")
  })
})

describe("broken lines", () => {
  it("keeps what is left of broken bytes, NUL and CRLF", () => {
    expect(parse("2024-01-02T03:04:05Z INFO a: b\r").message).toBe("2024-01-02T03:04:05Z INFO a: b")
    expect(parse(Buffer.from([0x41, 0xff, 0x00, 0x42]).toString("utf8")).message).toBe("A\uFFFDB")
    const long = `2024-01-02T03:04:05Z ERROR a: ${"x".repeat(2 ** 20)}`
    expect(parse(long)).toMatchObject({ level: "error", message: long })
  })

  it("leaves no half of a pair where a text is cut", () => {
    const text = JSON.stringify(
      parse(`1.1.1.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 1 "-" "-" "a${"😀".repeat(600)}"`)
    )
    expect(/\\ud[89a-f]/iu.test(text)).toBe(false)
  })

  it("opens envelopes to a depth and no further", () => {
    let line = "innermost"
    for (let depth = 0; depth < 8; depth++)
      line = JSON.stringify({ log: `${line}\n`, stream: "stdout", time: "2024-01-02T03:04:05Z" })
    expect(parse(line).message).toContain("innermost")
  })
})

const starts = [
  "",
  "{",
  '{"a":',
  "<13>",
  "Jun 14 15:16:01 ",
  "a=",
  "2015-10-18 ",
  '1.1.1.1 - - [10/Oct/2000:13:55:36 -0700] "',
  "[",
  "081109 2",
  "W, [",
  ...examples.flatMap(({ line }) => [
    line,
    line.slice(0, Math.floor(line.length / 2)),
    `${line.slice(0, Math.floor(line.length / 1.2))} `
  ])
]
const anyLine = Arbitrary.all([
  Arbitrary.schema(Schema.Literals(starts as [string, ...Array<string>])),
  Arbitrary.schema(Schema.String)
]).pipe(Arbitrary.map(([start, rest]) => (start + rest).replaceAll(/[\r\n]/gu, " ")))

/** Words that are in no time, level or name of the formats. */
const words = Arbitrary.schema(Schema.Literals(["quuxly", "zyzzyva", "florble", "wibbly snarf", "gromit,blorp"]))

/** What every member of the family promises. */
describe.each(parsers.map((parser) => [parser.name, parser] as const))("%s, like every format,", (_, parser) => {
  prop("answers any line with a whole event or not at all, the same each time", [anyLine], ([line]) => {
    const event = parser.parse(line, now)
    expect(parser.parse(line, now)).toEqual(event)
    if (event === undefined) return
    expect(Number.isFinite(event.time) && event.time <= now + 86_400_000).toBe(true)
    expect(typeof event.message).toBe("string")
    expect(JSON.parse(JSON.stringify(event.attributes))).toEqual(event.attributes)
  })

  const own = examples.filter(({ format }) => format === parser.name && format !== "json")
  if (own.length === 0) return
  const line = Arbitrary.schema(Schema.Literals(own.map((example) => example.line) as [string, ...Array<string>]))
  prop("loses no word behind what it knows", [line, words], ([known, more]) => {
    const event = JSON.stringify(parse(`${known} ${more}`, parser.name))
    for (const word of more.split(/[ ,]/u)) expect(event).toContain(word)
  })
})

describe("parseLine", () => {
  prop("makes only text that Postgres takes", [anyLine], ([line]) => {
    const text = JSON.stringify(parse(line))
    expect(text.includes("\\u0000")).toBe(false)
    expect(/\\ud[89a-f]/iu.test(text)).toBe(false)
  })

  prop("keeps every word of a plain line", [Schema.String], ([line]) => {
    const event = parse(`x ${line}`, "plain")
    expect(event.message).toBe(`x ${line}`.replaceAll(/[\0\p{Cs}]/gu, ""))
  })
})

describe("docs/logs/formats.md", () => {
  const page = readFileSync(new URL("../../docs/logs/formats.md", import.meta.url), "utf8")
  const rows = page.split("\n").map((row) => row.replaceAll(/\s+/gu, " "))

  it.each(parsers.map(({ about, fields, name }) => [name, about, fields] as const))("has %s", (name, about, fields) => {
    expect(rows).toContain(`| \`${name}\` | ${about} | ${fields === "" ? "the line's own" : fields} |`)
  })

  it("has grok's names, and an example that runs", () => {
    for (const name of Object.keys(library)) expect(page).toContain(`\`${name}\``)
    const spec = JSON.parse(/```json\n([^]*?)```/u.exec(page)![1]!) as FormatSpec
    const tried = tryOn(spec, [spec.test!], now)
    expect(tried.ok && tried.results[0]!.event).toMatchObject({
      level: "warn",
      service: "cart",
      message: "out of stock",
      attributes: { "client.address": "1.2.3.4", items: 3 }
    })
  })
})
