/** Traces of eight languages become one event each; what only looks like one does not; cuts are the same however lines come. */
import { describe, expect, it } from "@effect/vitest"
import { fc } from "../support/property.ts"
import { assemble, charsMax, continued, linesMax, make } from "../../src/parse/Multiline.ts"

const lines = (text: string): Array<string> =>
  text
    .replace(/^\n/u, "")
    .split("\n")
    .filter((line) => line.trim() !== "")

/** Events of a text, in which `§` begins each. */
const marked = (text: string): ReadonlyArray<string> =>
  lines(text)
    .join("\n")
    .split("§")
    .filter((part) => part !== "")
    .map((part) => part.replace(/\n$/u, ""))

const traces: Readonly<Record<string, string>> = {
  "Java: causes, suppressed, elided frames": `
§2026-11-23 10:00:00,123 ERROR [main] app.Main - failed
java.lang.IllegalStateException: outer
\tat app.Main.run(Main.java:10)
\tat app.Main.main(Main.java:5)
\tSuppressed: java.io.IOException: close
\t\tat app.Res.close(Res.java:3)
Caused by: java.sql.SQLException: no rows
\tat db.Pool.get(Pool.java:77) ~[db.jar:1.2]
\t... 2 more
§2026-11-23 10:00:01,000 INFO [main] app.Main - goes on`,
  "Java: one uncaught after the other": `
§Exception in thread "main" java.lang.RuntimeException: a
\tat app.Main.main(Main.java:5)
§java.lang.RuntimeException: b
\tat app.Main.main(Main.java:6)`,
  "Python: chained": `
§ERROR:root:failed
Traceback (most recent call last):
  File "/app/a.py", line 3, in f
    g()
    ~^^
KeyError: 'x'
During handling of the above exception, another exception occurred:
Traceback (most recent call last):
  File "/app/a.py", line 5, in <module>
    f()
ValueError: bad
§INFO:root:next
§Traceback (most recent call last):
  File "/app/b.py", line 1, in <module>
app.errors.Gone
§INFO:root:next`,
  "Node: uncaught, with the line it was thrown at": `
§/app/x.js:3
  throw new Error("boom")
  ^
Error: boom
    at f (/app/x.js:3:9)
    at node:internal/main/run_main_module:36:49 {
  code: 'E_BOOM',
  [cause]: Error: inner
      at g (/app/x.js:1:1)
}
Node.js v26.0.0
§listening on 8080`,
  "Node: after the line that tells of it": `
§[2026-11-23T10:00:00Z] error: request failed
TypeError: Cannot read properties of undefined (reading 'id')
    at handler (/app/h.js:12:7)
§[2026-11-23T10:00:01Z] info: ok`,
  "Go: panic with goroutines": `
§2026/11/23 10:00:00 starting
§panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x45f]
goroutine 1 [running]:
main.(*Server).Handle(0xc000010000, {0x1, 0x2})
\t/app/main.go:12 +0x1d
main.main()
\t/app/main.go:20 +0x20
goroutine 18 [chan receive, 2 minutes]:
net/http.(*conn).serve(0xc0000a0000, {0x6b2e58, 0xc000096000})
\t/usr/lib/go/src/net/http/server.go:1930 +0x1200
created by net/http.(*Server).Serve in goroutine 1
\t/usr/lib/go/src/net/http/server.go:3000 +0x3b0
exit status 2
§2026/11/23 10:00:01 starting`,
  ".NET: inner exceptions": `
§Unhandled exception. System.InvalidOperationException: outer
 ---> System.ArgumentException: inner
   at App.F() in /src/A.cs:line 3
   --- End of inner exception stack trace ---
   at App.Main() in /src/A.cs:line 9
§info: App[0]
      Application started.`,
  "Ruby: script and Rails": `
§app.rb:3:in \`div': divided by 0 (ZeroDivisionError)
\tfrom app.rb:1:in \`<main>'
§F, [2026-11-23T10:00:00 #1] FATAL -- : RuntimeError (boom):
app/controllers/a_controller.rb:3:in \`index'
app/models/b.rb:9:in 'block in run'
§I, [2026-11-23T10:00:01 #1]  INFO -- : Started GET "/"`,
  "PHP: fatal and Laravel": `
§PHP Fatal error:  Uncaught Exception: msg in /app/x.php:3
Stack trace:
#0 /app/x.php(9): f()
#1 {main}
  thrown in /app/x.php on line 3
§[2026-11-23 10:00:00] local.ERROR: msg {"exception":"[object] (Exception(code: 0): msg at /app/x.php:3)
[stacktrace]
#0 /app/y.php(3): g()
#1 {main}
"}
§[2026-11-23 10:00:01] local.INFO: next`,
  "indented lines and a pretty object": `
§2026-11-23 10:00:00 LOG: statement: select *
\tfrom users
\twhere id = 3
§{
  "a": 1,
  "b": [
    2
  ]
}
§{"a":1}
§ {"b":2}`
}

describe("Multiline", () => {
  it.each(Object.entries(traces))("%s", (_, text) => {
    expect(assemble(lines(text.replaceAll("§", "")))).toEqual(marked(text))
  })

  it("leaves ordinary lines alone", () => {
    const ordinary = lines(`
2026-11-23 10:00:00 ERROR failed: TypeError: x
2026-11-23 10:00:00 INFO none the worse
TypeError: x is not a function
TypeError: y is not a function
INFO at app.Main.run(Main.java) all is well
at work
Caused by: rain
Stack trace: off
goroutine count 12
foo(bar)
exit status 0
}
]
#1 in the list
[signal] green
INFO ok
Traceback of parcels
  9.1 in a right aligned column
 10.2 in a right aligned column
   1702   300 D pid
<34>Oct 11 22:14:15 host su: failed
KeyError: 'x'
127.0.0.1 - - [23/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1
level=error msg="failed" err=EOF
com.example.Main started
---> 2
`)
    expect(assemble(ordinary).filter((event) => event.includes("\n"))).toEqual([
      // A failure, and below it the exception that a logger writes there.
      "<34>Oct 11 22:14:15 host su: failed\nKeyError: 'x'"
    ])
  })

  it("goes on as a marked event beyond its limits", () => {
    const many = assemble(["ERROR x", ...Array.from({ length: linesMax * 2 }, (_, i) => `\tat f(${i})`)])
    expect(many.map((event) => event.split("\n").length)).toEqual([linesMax, linesMax, 1])
    expect(many.slice(1).every((event) => event.startsWith(`${continued}\tat f(`))).toBe(true)
    const wide = assemble(["ERROR x", ...Array.from({ length: 30 }, () => `\t${"x".repeat(10_000)}`)])
    expect(wide.length).toBeGreaterThan(4)
    expect(wide.every((event) => event.length <= charsMax)).toBe(true)
    // A single line is never cut here.
    expect(assemble(["y".repeat(charsMax * 2)])).toEqual(["y".repeat(charsMax * 2)])
  })

  it("cuts the same however the lines come, and loses none", () => {
    const pool = Object.values(traces).flatMap((text) => lines(text.replaceAll("§", "")))
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...pool), fc.string({ maxLength: 40 })), { maxLength: 60 }),
        fc.array(fc.nat(7), { maxLength: 60 }),
        (some, cuts) => {
          const whole = some.map((line) => line.replaceAll("\n", " "))
          const assembler = make()
          const events: Array<string> = []
          let at = 0
          for (const cut of [...cuts, whole.length]) {
            events.push(...assembler.push(whole.slice(at, at + cut)))
            at = Math.min(whole.length, at + cut)
          }
          events.push(...assembler.push(whole.slice(at)), ...assembler.end())
          expect(events).toEqual(assemble(whole))
          expect(events.join("\n")).toBe(whole.join("\n"))
        }
      ),
      { numRuns: 500 }
    )
  })

  it("takes time linear in hostile lines", () => {
    for (const part of ["a.", "(", " ", "A", "[", "at a.", "#1 ", "a:b", "^ ", "main.("]) {
      const evil = part.repeat(1_000_000 / part.length)
      const started = performance.now()
      assemble(["ERROR x", evil, "\tat x", evil, "panic: x", evil, "Traceback (most recent call last):", evil, evil])
      expect(performance.now() - started).toBeLessThan(5_000)
    }
  })
})
