/** What people hear of alerts, and when: each scenario is a score of what happens and the list of what is heard. */
import { fc } from "../support/property.ts"
import { ChannelId } from "../../src/domain/Channel.ts"
import { describe, expect, it } from "vitest"
import type { RouteSpec } from "../../src/domain/Route.ts"
import { resolveIn } from "../../src/alerts/Dispatch.ts"
import {
  acknowledged,
  ends,
  fires,
  givenBack,
  looked,
  play,
  type Score,
  silenced,
  silenceEnded,
  start
} from "./tellings.ts"

const at = (minutes: number): string => new Date(start + minutes * 60_000).toISOString()
const route = (spec: Partial<RouteSpec> = {}): Score => ({
  routes: [{ name: "ops", match: [], channels: "all", ...spec }]
})

const channel = (name: string): ChannelId => ChannelId.make(name)

describe("a route that names channels", () => {
  it("means all where those that it names are gone, and nobody where they are switched off or none is named", () => {
    const heard = (channels: ReadonlyArray<ChannelId>) =>
      play(route({ channels, groupWait: "0 seconds" }), [["0 s", fires("a")]], "1 min").told
    expect(heard([channel("gone"), channel("gone_too")])).toEqual(["0 s  slack: Firing: a"])
    expect(heard([channel("gone"), channel("in_app")])).toEqual(heard([channel("in_app")]))
    expect(heard([])).toEqual([])
    const off = { id: channel("slack"), kind: "slack" as const, enabled: false }
    const resolve = resolveIn({ silences: [], inhibitions: [], routes: [], firing: [], channels: [off] }, () => true)
    expect(resolve([channel("slack")])).toEqual([])
    expect(resolve([channel("gone")])).toEqual(["in_app"])
  })
})

describe("without any route", () => {
  it("tells each rule by itself, at once, and its end at once", () => {
    const { told } = play(
      {},
      [
        ["0 s", fires("a")],
        ["5 s", fires("b")],
        ["10 s", ends("a")]
      ],
      "1 h"
    )
    expect(told).toEqual(["0 s  slack: Firing: a", "5 s  slack: Firing: b", "10 s  slack: Resolved: a"])
  })

  it("reminds every four hours, and never again once it is over", () => {
    const { told } = play(
      {},
      [
        ["0 s", fires("a")],
        ["9 h", ends("a")]
      ],
      "24 h"
    )
    expect(told).toEqual([
      "0 s  slack: Firing: a",
      "240 min  slack: Still firing: a",
      "480 min  slack: Still firing: a",
      "540 min  slack: Resolved: a"
    ])
  })

  it("tells the groups of a rule apart", () => {
    const { incidents, told } = play(
      {},
      [
        ["0 s", fires("a1", { rule: "a", group: { host: "x" } })],
        ["1 s", fires("a2", { rule: "a", group: { host: "y" } })]
      ],
      "1 min"
    )
    expect([incidents, ...told]).toEqual([2, "0 s  slack: Firing: a (host=x)", "1 s  slack: Firing: a (host=y)"])
  })
})

describe("waiting for others", () => {
  const byTeam = route({ groupBy: ["team"] })
  const db = { labels: { team: "db" } }

  it("30 seconds, then tells all of the group in one message", () => {
    const { told } = play(
      byTeam,
      [
        ["0 s", fires("a", db)],
        ["10 s", fires("b", db)],
        ["29 s", fires("c", db)],
        ["20 s", fires("d", { labels: { team: "web" } })]
      ],
      "2 min"
    )
    expect(told).toEqual(["30 s  slack: Firing: 3 alerts, a, b, c", "50 s  slack: Firing: d"])
  })

  it("not at all for a critical alert, which takes those who wait with it", () => {
    const { told } = play(
      byTeam,
      [
        ["0 s", fires("a", db)],
        ["10 s", fires("b", { ...db, severity: "critical" })]
      ],
      "1 min"
    )
    expect(told).toEqual(["10 s  slack: Firing: 2 alerts, a, b"])
  })

  it("tells who joins or leaves after five minutes, and the end of all at once", () => {
    const { told } = play(
      byTeam,
      [
        ["0 s", fires("a", db)],
        ["1 min", fires("b", db)],
        ["6 min", ends("a")],
        ["20 min", ends("b")]
      ],
      "1 h"
    )
    expect(told).toEqual([
      "30 s  slack: Firing: a",
      "330 s  slack: Firing: 2 alerts, b, a",
      "630 s  slack: Firing: b",
      "20 min  slack: Resolved: b"
    ])
  })

  it("does not leave people with what is over, where another has begun since", () => {
    const acts = [
      ["0 s", fires("a", db)],
      ["1 min", fires("b", db)],
      ["2 min", ends("a")]
    ] as const
    expect(play(byTeam, acts, "1 h").told).toEqual(["30 s  slack: Firing: a", "2 min  slack: Firing: b"])
  })

  it("tells once what was over before anybody heard of it", () => {
    const { decisions, told } = play(
      byTeam,
      [
        ["0 s", fires("a", db)],
        ["10 s", ends("a")]
      ],
      "1 h"
    )
    expect(told).toEqual(["30 s  slack: Resolved: a"])
    expect(decisions.get("a")).toBe("told as resolved by in_app, slack")
  })

  it("reopens the incident of what fires again within the interval, and begins another after it", () => {
    const again = (name: string) => fires(name, { rule: "a", severity: "critical", ...db })
    const { incidents, keys, told } = play(
      byTeam,
      [
        ["0 s", again("a1")],
        ["1 min", ends("a1")],
        ["2 min", again("a2")],
        ["3 min", ends("a2")],
        ["9 min", again("a3")]
      ],
      "20 min"
    )
    expect(told).toEqual([
      "0 s  slack: Firing: a",
      "1 min  slack: Resolved: a",
      "2 min  slack: Firing again: a",
      "3 min  slack: Resolved: a",
      "9 min  slack: Firing: a"
    ])
    expect(incidents).toBe(2)
    expect(new Set(keys).size).toBe(keys.length)
  })

  it("says nothing of ends where the route says so", () => {
    const { told } = play(
      route({ sendResolved: false }),
      [
        ["0 s", fires("a")],
        ["1 min", ends("a")]
      ],
      "1 h"
    )
    expect(told).toEqual(["30 s  slack: Firing: a"])
  })
})

describe("when somebody answers", () => {
  const escalating: Score = {
    ...route({
      channels: [channel("slack")],
      groupWait: "0 seconds",
      repeatInterval: "1 hour",
      escalate: [
        { after: "15 minutes", channels: [channel("pager")] },
        { after: "30 minutes", channels: [channel("boss")] }
      ]
    }),
    channels: [channel("slack"), channel("pager"), channel("boss")]
  }

  it("nobody does: the next are told, and all of them that it is over", () => {
    const { told } = play(
      escalating,
      [
        ["0 s", fires("a")],
        ["45 min", ends("a")]
      ],
      "4 h"
    )
    expect(told).toEqual([
      "0 s  slack: Firing: a",
      "15 min  pager: Nobody has acknowledged: a",
      "30 min  boss: Nobody has acknowledged: a",
      "45 min  boss: Resolved: a",
      "45 min  pager: Resolved: a",
      "45 min  slack: Resolved: a"
    ])
  })

  it("an acknowledgement is told once and ends reminders and escalation", () => {
    const { told } = play(
      escalating,
      [
        ["0 s", fires("a")],
        ["5 min", acknowledged("a")],
        ["5 h", ends("a")]
      ],
      "24 h"
    )
    expect(told).toEqual(["0 s  slack: Firing: a", "5 min  slack: Acknowledged: a", "300 min  slack: Resolved: a"])
  })

  it("given back, all of it begins anew", () => {
    const { told } = play(
      escalating,
      [
        ["0 s", fires("a")],
        ["5 min", acknowledged("a")],
        ["10 min", givenBack("a")]
      ],
      "30 min"
    )
    expect(told).toEqual([
      "0 s  slack: Firing: a",
      "5 min  slack: Acknowledged: a",
      "25 min  pager: Nobody has acknowledged: a"
    ])
  })

  it("whoever joins later has not been acknowledged", () => {
    const together: Score = { ...escalating, routes: escalating.routes!.map((one) => ({ ...one, groupBy: [] })) }
    const { told } = play(
      together,
      [
        ["0 s", fires("a")],
        ["5 min", acknowledged("a")],
        ["10 min", fires("b")]
      ],
      "25 min"
    )
    expect(told).toEqual([
      "0 s  slack: Firing: a",
      "5 min  slack: Acknowledged: a",
      "10 min  slack: Firing: 2 alerts, b, a",
      "25 min  pager: Nobody has acknowledged: 2 alerts, a, b"
    ])
  })
})

describe("silences", () => {
  it("keep an alert from being told; whoever fires still is told when it ends", () => {
    const { decisions, told } = play(
      {},
      [
        ["0 s", silenced({ matchers: ["team=db"], endsAt: at(60), comment: "upgrade" })],
        ["1 min", fires("a", { labels: { team: "db" } })],
        ["2 min", fires("b", { labels: { team: "db" } })],
        ["3 min", fires("c")],
        ["10 min", ends("b")]
      ],
      "2 h"
    )
    expect(told).toEqual(["3 min  slack: Firing: c", "60 min  slack: Firing: a"])
    expect(decisions.get("b")).toBe(`not told: it was over while silenced until ${at(60)}: upgrade (ada)`)
  })

  it("ended by somebody while alerts fire, these are told then", () => {
    const acts = [
      ["0 s", silenced({ matchers: ['severity="warning"'], endsAt: at(600), comment: "" })],
      ["1 min", fires("a")],
      ["5 min", silenceEnded]
    ] as const
    expect(play({}, acts, "1 h").told).toEqual(["5 min  slack: Firing: a"])
  })

  it("made after an alert was told, hold back reminders but not its end", () => {
    const acts = [
      ["0 s", fires("a")],
      ["1 min", silenced({ matchers: ["rule=a"], endsAt: at(600), comment: "known" })],
      ["2 min", looked],
      ["9 h", ends("a")]
    ] as const
    expect(play({}, acts, "24 h").told).toEqual(["0 s  slack: Firing: a", "540 min  slack: Resolved: a"])
  })

  it("recur by the clock on the wall", () => {
    // 12:00 UTC is 14:00 in Berlin in June.
    const spec = {
      matchers: ["severity=~warning|info"],
      comment: "siesta",
      recurring: { zone: "Europe/Berlin", days: [], from: "14:30", to: "16:00" }
    }
    const acts = [
      ["0 s", silenced(spec)],
      ["29 min", fires("a")],
      ["31 min", fires("b")]
    ] as const
    expect(play({}, acts, "3 h").told).toEqual(["29 min  slack: Firing: a", "120 min  slack: Firing: b"])
  })
})

describe("inhibition", () => {
  const score: Score = {
    inhibitions: [{ name: "site down", source: ["rule=down"], target: ["severity=warning"], equal: ["site"] }]
  }
  const site = (name: string) => ({ labels: { site: name } })
  const down = fires("down", { severity: "critical", ...site("x") })

  it("holds back what goes without saying, and tells it when the cause is gone", () => {
    const { decisions, told } = play(
      score,
      [
        ["0 s", down],
        ["1 s", fires("a", site("x"))],
        ["2 s", fires("b", site("y"))],
        ["3 s", fires("c", site("x"))],
        ["1 min", ends("c")],
        ["5 min", ends("down")]
      ],
      "1 h"
    )
    expect(told).toEqual([
      "0 s  slack: Firing: down",
      "2 s  slack: Firing: b",
      "5 min  slack: Resolved: down",
      "5 min  slack: Firing: a"
    ])
    expect(decisions.get("c")).toBe("not told: it was over while inhibited by down (alert down), after site down")
  })

  it("never makes two alerts hold back each other", () => {
    const both: Score = {
      inhibitions: [{ name: "all", source: ["severity=~.*"], target: ["severity=~.*"], equal: [] }]
    }
    expect(
      play(
        both,
        [
          ["0 s", fires("a")],
          ["1 s", fires("b")]
        ],
        "1 min"
      ).told
    ).toHaveLength(2)
  })
})

describe("routes", () => {
  const routes: Score = {
    channels: [channel("slack"), channel("pager"), channel("audit")],
    routes: [
      { name: "audit", match: [], channels: [channel("audit")], groupWait: "0 seconds", continue: true },
      { name: "critical", match: ['severity="critical"'], channels: [channel("pager"), channel("slack")] },
      { name: "web", match: ["service=~web.*", "team!=qa"], channels: [channel("slack")], groupWait: "0 seconds" }
    ]
  }
  it("are asked in order; the first that matches tells, and those after it where it says continue", () => {
    const acts = [
      ["0 s", fires("a", { severity: "critical" })],
      ["1 s", fires("b", { group: { service: "web-1" } })]
    ] as const
    expect(play(routes, acts, "1 min").told).toEqual([
      "0 s  audit: Firing: a",
      "0 s  pager: Firing: a",
      "0 s  slack: Firing: a",
      "1 s  audit: Firing: b (service=web-1)",
      "1 s  slack: Firing: b (service=web-1)"
    ])
  })

  it("that none matches leave the alert to all channels", () => {
    const rest: Score = { routes: [{ name: "none", match: ["team=x"], channels: [] }] }
    expect(play(rest, [["0 s", fires("a")]], "1 min").told).toEqual(["0 s  slack: Firing: a"])
  })

  it("that name no channel say so", () => {
    const { decisions, told } = play(route({ channels: [] }), [["0 s", fires("a")]], "1 min")
    expect(told).toEqual([])
    expect(decisions.get("a")).toContain("nobody: the route names no channel")
  })
})

describe("whatever happens", () => {
  const names = ["a", "b", "c"] as const
  const act = fc.record({
    minute: fc.integer({ min: 0, max: 300 }),
    name: fc.constantFrom(...names),
    what: fc.constantFrom("ends", "acknowledged", "given back", "silenced", "silence ended", "again")
  })
  const policy = fc.record({
    groupBy: fc.constantFrom([], ["rule"], ["..."]),
    repeatInterval: fc.constantFrom("10 minutes", "4 hours"),
    sendResolved: fc.boolean(),
    escalate: fc.constantFrom([], [{ after: "15 minutes", channels: "all" as const }])
  })

  it("no message is written twice, no timer stands still, and each alert has a word on why it was told or not", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 25 }), policy, (drawn, spec) => {
        let count = 0
        const acts = drawn.map(({ minute, name, what }) => {
          const fresh = `${name}${++count}`
          const by = {
            ends: ends(name),
            acknowledged: acknowledged(name),
            "given back": givenBack(name),
            silenced: silenced({ matchers: [`rule=${name}`], endsAt: at(minute + 30), comment: "" }),
            "silence ended": silenceEnded,
            again: fires(fresh, { rule: name })
          }[what]
          return [`${minute} min`, by] as const
        })
        const begin = names.map((name) => ["0 s", fires(name)] as const)
        const { decisions, keys } = play(route(spec), [...begin, ...acts], "24 h")
        expect(new Set(keys).size).toBe(keys.length)
        for (const name of names) expect(decisions.get(name)).toBeTypeOf("string")
      }),
      { numRuns: 150 }
    )
  })
})
