/** Templates of messages: masks, generalising, bounds, determinism, and how well known systems' templates are found. */
import { existsSync } from "node:fs"
import { fc } from "../support/property.ts"
import { describe, expect, it } from "vitest"
import { evaluate } from "../../bench/templates.ts"
import { parseLine } from "../../src/parse/all.ts"
import { bodyOf } from "../../src/parse/templates/Header.ts"
import { type Kept, Miner } from "../../src/parse/templates/Miner.ts"

const now = Date.UTC(2026, 10, 23)
const textOf = (message: string): string => {
  const miner = new Miner()
  return miner.text(miner.learn(message)) ?? ""
}
const learnAll = (miner: Miner, messages: ReadonlyArray<string>): ReadonlyArray<number> =>
  messages.map((message) => miner.learn(message))

describe("what is variable by its looks", () => {
  it.each([
    ["took 12 ms at 10.0.0.7:8080", "took <*> ms at <*>:<*>"],
    ["GET https://example.com/a?b=1 gave 200", "GET https://<*> gave <*>"],
    ["job 0b7c5f0e-5f4e-4a57-9e0e-0123456789ab done", "job <*> done"],
    ["wrote /var/log/app.log and C:\\temp\\x.txt", "wrote <*> and <*>"],
    ["up=true, owner=null, mask=ffffffff", "up=<*>, owner=<*>, mask=<*>"],
    ["mac FF:F2:9F:16:E2:23 seen", "mac <*> seen"],
    ["free 5.2 KB of 17.7 GB", "free <*> of <*>"],
    ["since Fri Jun 17 07:07:00 2005", "since <*>:<*>:<*>"],
    ["node-129 is gone", "node-<*> is gone"],
    ["jk2_init() Can't find child 1566", "jk2_init() Can't find child <*>"],
    ["waiting.........0", "waiting.........<*>"],
    ["connection from 1.2.3.4 () at", "connection from <*> (<*>) at"]
  ])("%s", (message, text) => expect(textOf(message)).toBe(text))

  it("tells a value that stays the same, until it varies", () => {
    const miner = new Miner()
    const id = miner.learn('open name=alpha mode="read only"')
    expect(miner.text(id)).toBe('open name=alpha mode="read only"')
    expect(miner.learn('open name=beta mode="read only"')).toBe(id)
    expect(miner.text(id)).toBe('open name=<*> mode="read only"')
  })

  it("takes lists of any length for one", () => {
    const miner = new Miner()
    const [first, ...others] = learnAll(miner, ["delete 1, 2, 3", "delete 4", "delete 5, 6"])
    expect(others).toEqual([first, first])
    expect(miner.text(first!)).toBe("delete <*>")
  })
})

describe("what turns out to vary", () => {
  const logins = ["ann", "bob", "cat", "dan", "eve"].map((user) => `session opened for user ${user} by root`)

  it("becomes one template, whose id stays, and the others resolve to it", () => {
    const miner = new Miner()
    const ids = learnAll(miner, logins)
    const kept = miner.takeChanged()
    expect(new Set(ids.slice(3))).toEqual(new Set([ids[0]]))
    expect(miner.text(ids[0]!)).toBe("session opened for user <*> by root")
    expect(kept.filter(({ alias }) => alias !== undefined).map(({ alias, id }) => [id, alias])).toEqual([
      [ids[1], ids[0]],
      [ids[2], ids[0]]
    ])
    expect(miner.learn("session opened for user zoe by root")).toBe(ids[0])
  })

  it("is not what a message begins with, nor the words of short ones", () => {
    const miner = new Miner()
    const words = ["cupsd", "syslogd", "klogd", "portmap", "sshd", "crond"]
    const ids = learnAll(
      miner,
      words.flatMap((word) => [`${word} startup succeeded now`, word])
    )
    expect(new Set(ids).size).toBe(12)
  })

  it("goes on in another miner that reads what was kept", () => {
    const first = new Miner()
    const ids = learnAll(first, logins)
    const second = new Miner()
    for (const one of first.takeChanged()) second.adopt(one)
    expect(second.changed).toBe(false)
    expect(second.learn("session opened for user zoe by root")).toBe(ids[0])
    // Told once more when it is met, lest the store has forgotten it; not again.
    expect(second.takeChanged().map(({ id }) => id)).toEqual([ids[0]])
    second.learn("session opened for user zoe by root")
    expect(second.changed).toBe(false)
  })

  it("is joined when two miners found it apart", () => {
    const [one, two] = [new Miner(), new Miner()]
    learnAll(one, logins.slice(0, 2))
    const twoIds = learnAll(two, logins)
    for (const kept of two.takeChanged()) one.adopt(kept)
    expect(one.learn("session opened for user zoe by root")).toBe(twoIds[0])
    expect(one.learn(logins[1]!)).toBe(twoIds[0])
  })

  it("is joined over all that is kept, when it came to be known little by little", () => {
    const miner = new Miner()
    const parts = logins.slice(0, 4).map((line) => {
      const other = new Miner()
      other.learn(line)
      return other.takeChanged()[0]!
    })
    for (const part of parts) miner.adopt(part)
    miner.consolidate()
    const changed = miner.takeChanged()
    expect(changed.filter(({ alias }) => alias !== undefined)).toHaveLength(3)
    expect(miner.size).toBe(1)
  })
})

const message = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.string({ unit: "binary", maxLength: 100 }),
  fc
    .array(
      fc.constantFrom(
        "user",
        "bob",
        "=",
        "12",
        "/a/b",
        '"x y"',
        "(",
        ")",
        "[1, 2]",
        "10.0.0.1",
        "a.b.c",
        "Jun",
        ":",
        "-",
        "…"
      ),
      {
        maxLength: 20
      }
    )
    .map((words) => words.join(" "))
)

describe("whatever comes", () => {
  it("gives the same templates for the same lines, and they survive being kept", { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 60 }), (messages) => {
        const [one, two, three] = [new Miner(), new Miner(), new Miner()]
        const ids = learnAll(one, messages)
        expect(learnAll(two, messages)).toEqual(ids)
        expect(ids.every((id) => Number.isSafeInteger(id) && id >= 0)).toBe(true)
        const kept = one.takeChanged()
        const known = new Set(kept.map(({ id }) => id))
        expect(ids.every((id) => id === 0 || known.has(id))).toBe(true)
        const root = new Map(kept.map(({ alias, id }) => [id, alias ?? id]))
        expect(kept.every(({ alias }) => alias === undefined || root.get(alias) === alias)).toBe(true)
        for (const template of JSON.parse(JSON.stringify(kept)) as ReadonlyArray<Kept>) three.adopt(template)
        // Each line is found again under the id that it, or what took it in, has.
        expect(learnAll(three, messages)).toEqual(learnAll(one, messages))
      }),
      { numRuns: 300 }
    )
  })

  it(
    "stays within its bounds when every line is new, and forgets what was not met for longest",
    { timeout: 60_000 },
    () => {
      const miner = new Miner({ templatesMax: 200 })
      const steady = miner.learn("steady line without end")
      const met = new Set<number>()
      let word = 0
      const fresh = (): string => (word += 7919).toString(36).replace(/\d/gu, (digit) => "ghijklmnop"[Number(digit)]!)
      for (let i = 0; i < 2_000; i++) {
        miner.learn(`${fresh()} ${fresh()} ${fresh()} ${fresh()} ${fresh()}`)
        if (i % 50 === 0) met.add(miner.learn("steady line without end"))
        expect(miner.size).toBeLessThanOrEqual(200)
      }
      expect([...met]).toEqual([steady])
      const heavy = new Miner({ weightMax: 500_000 })
      for (let i = 0; i < 300; i++) heavy.learn(Array.from({ length: 100 }, fresh).join(" "))
      expect(heavy.size).toBeLessThan(60)
      expect(heavy.weight).toBeLessThanOrEqual(500_000)
    }
  )

  it("finds only so many templates in garbage; the rest is one", () => {
    const miner = new Miner({ foundMax: 50 })
    const words = Array.from(
      { length: 400 },
      (_, i) =>
        `${String.fromCharCode(97 + (i % 26)).repeat(3 + (i % 7))} ${i.toString(2).replaceAll("0", "x").replaceAll("1", "y")}`
    )
    learnAll(miner, words)
    expect(miner.takeChanged().length).toBe(51)
    expect(miner.text(miner.learn("wholly unheard of"))).toBe("<*>")
    expect(miner.text(miner.learn(words[0]!))).toBe(words[0])
  })

  it("looks at the first 256 parts and 8 KB of a line only", () => {
    const miner = new Miner()
    const id = miner.learn(`start ${"x ".repeat(1_000_000)}`)
    expect(miner.learn(`start ${"x ".repeat(500_000)}end`)).toBe(id)
    expect(miner.takeChanged()[0]!.text.length).toBeLessThan(1_000)
    expect(miner.learn("(".repeat(100_000))).toBeGreaterThan(0)
    expect(miner.learn(`"${"'".repeat(100_000)}`)).toBeGreaterThan(0)
  })

  it("has the same id again after it was forgotten", () => {
    const miner = new Miner({ templatesMax: 5 })
    const id = miner.learn("first of all")
    for (const word of "abcdefghijklmnopqrstuvwxyz") miner.learn(`${word}${word}${word} single`)
    expect(miner.text(id)).toBeUndefined()
    expect(miner.learn("first of all")).toBe(id)
  })

  it("refuses a kept shape that is none", () => {
    const miner = new Miner()
    for (const shape of ["", "null", "{}", '{"k":"9","t":["x"],"s":"x"}', '{"k":"11","t":["x"],"s":"x"}'])
      miner.adopt({ id: 1, text: "x", shape, sample: "" })
    expect(miner.size).toBe(0)
  })
})

describe("the header of a plain line", () => {
  it.each([
    ["2026-11-23 10:00:00,123 INFO [main] com.example.App: started in 12 ms", "started in 12 ms"],
    ["[Sun Dec 04 04:47:44 2005] [error] mod_jk child in error state 6", "mod_jk child in error state 6"],
    ["03-17 16:13:38.811  1702  2395 D WindowManager: printing", "printing"],
    ["20171223-22:15:29:606|Step_LSC|30002312|onStandStepChanged 3579", "onStandStepChanged 3579"],
    ["disk is full", "disk is full"],
    ["Connected at 10:00:00 to api", "Connected at 10:00:00 to api"]
  ])("%s", (line, body) => expect(bodyOf(parseLine(line, { now })).trim()).toBe(body))

  it("leaves the message of structured lines as it is", () => {
    const line = '{"level":"error","service":"api","message":"error: api can not reach db"}'
    expect(bodyOf(parseLine(line, { now }))).toBe("error: api can not reach db")
  })
})

describe.skipIf(!existsSync(new URL("../../../shared/data/loghub", import.meta.url)))(
  "LogHub (skipped where ../shared/data is absent)",
  () => {
    it("finds the templates of ten systems with one configuration", { timeout: 60_000 }, () => {
      const { FGA, FTA, GA } = evaluate()!
      expect(GA).toBeGreaterThanOrEqual(0.95)
      expect(FGA).toBeGreaterThanOrEqual(0.95)
      expect(FTA).toBeGreaterThanOrEqual(0.85)
    })
  }
)
