import { describe, expect, it } from "vitest"
import { ask, plain, send } from "./speak.ts"

const event = (body: string) => {
  const { events, reply } = send(ask("POST", "/services/collector/event"), body)
  return { events: events.map(plain), status: reply.status, body: JSON.parse(String(reply.body)) as unknown }
}

describe("Splunk's collector", () => {
  it("reads events one after the other, with and without line ends between them", () => {
    const { body, events, status } = event(
      '{"time":1795521600.25,"host":"h1","source":"s","sourcetype":"t","index":"main","event":"disk full","fields":{"service":"api","user":7}}' +
        '{"time":"1795521601","event":{"level":"warn","message":"slow"}}\n\n{"event":5}'
    )
    expect(events).toEqual([
      {
        time: 1_795_521_600_250,
        service: "api",
        line: "disk full",
        attributes: { service: "api", user: 7, "host.name": "h1", source: "s", sourcetype: "t", index: "main" }
      },
      { time: 1_795_521_601_000, line: '{"level":"warn","message":"slow"}', attributes: {} },
      { line: "5", attributes: {} }
    ])
    expect([status, body]).toEqual([200, { text: "Success", code: 0 }])
  })

  it.each([
    ["", 400, 5],
    ["{}", 400, 12],
    ['{"event":""}', 400, 13],
    ["nonsense", 400, 6],
    ['"text"', 400, 6],
    ['{"event":"a"', 400, 6]
  ])("%s is %d with code %d", (text, status, code) => {
    const answer = event(text)
    expect([answer.status, answer.events.length]).toEqual([status, 0])
    expect(answer.body).toMatchObject({ code })
  })

  it("takes all others where one is none, and says which", () => {
    const answer = event('{"event":"a"}{"event":null}{"event":"b"}')
    expect(answer.events).toHaveLength(2)
    expect(answer.body).toEqual({ text: "Event field is required", code: 12, "invalid-event-number": 1 })
  })

  it("reads raw lines, and says that it is well", () => {
    const { events, reply } = send(ask("POST", "/services/collector/raw?host=h&sourcetype=nginx"), "one\r\n\ntwo")
    expect(events.map(plain)).toEqual([
      { line: "one", attributes: { "host.name": "h", sourcetype: "nginx" } },
      { line: "two", attributes: { "host.name": "h", sourcetype: "nginx" } }
    ])
    expect(reply.status).toBe(200)
    expect(JSON.parse(String(send(ask("GET", "/services/collector/health/1.0"), "").reply.body))).toMatchObject({
      code: 17
    })
  })
})

describe("Datadog's intake and GELF", () => {
  it("reads logs with their tags", () => {
    const { events, reply } = send(
      ask("POST", "/api/v2/logs"),
      JSON.stringify([
        {
          message: "x",
          service: "api",
          status: "warn",
          hostname: "h",
          ddsource: "node",
          ddtags: "env:prod,version:1,odd"
        },
        7
      ])
    )
    expect(events.map(plain)).toEqual([
      {
        level: "warn",
        service: "api",
        line: "x",
        attributes: {
          "deployment.environment.name": "prod",
          "service.version": "1",
          "host.name": "h",
          ddsource: "node"
        }
      }
    ])
    expect(reply.status).toBe(400)
    expect(send(ask("POST", "/api/v2/logs"), '{"message":"one"}').reply).toMatchObject({ status: 202, body: "{}" })
  })

  it("takes a message of GELF", () => {
    const { events, reply } = send(ask("POST", "/gelf"), '{"version":"1.1","short_message":"x"}')
    expect([events.length, reply.status]).toEqual([1, 202])
    expect(send(ask("POST", "/gelf"), "x").reply.status).toBe(400)
  })
})
