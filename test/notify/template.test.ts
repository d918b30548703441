import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import type { ChannelKind } from "../../src/domain/Channel.ts"
import { applied, Template } from "../../src/notify/Template.ts"
import { previewOf } from "../../src/tasks/notifications/Preview.ts"
import { channelFault } from "../../src/tasks/notifications/Sending.ts"
import { alerting } from "./messages.ts"

const text = (source: string, fields: Parameters<typeof alerting>[1] = {}): string =>
  applied({ text: source }, alerting("firing", fields)).text

const fault = (source: string): string => {
  const read = Schema.decodeUnknownResult(Template)({ text: source })
  return read._tag === "Success" ? "" : read.failure.message
}

const twoAlerts = (() => {
  const message = alerting("firing")
  const first = message.incident!.alerts[0]!
  const second = { ...first, rule: "slow", labels: {}, samples: [] }
  return { incident: { ...message.incident!, count: 2, alerts: [first, second] } }
})()

describe("templates", () => {
  it("tell a message in other words", () => {
    expect(text("{{severity}} / {{ state }}: {{title}} {{! not told }}at {{url}}")).toBe(
      "critical / firing: Firing: payments <fail> at https://logs.example.com/alerts/al_1"
    )
    const source =
      "{{count}}:{{#alerts}} {{rule}}={{value}}>{{threshold}} {{group.service}}{{#labels}} [{{name}} {{.}}]{{/labels}}{{^samples}} none{{/samples}};{{/alerts}}"
    expect(text(source, twoAlerts)).toBe("2: payments fail=7>5 api [team shop]; slow=7>5 api none;")
    expect(text("{{#alerts}}{{#samples}}- {{.}}\n{{/samples}}{{/alerts}}")).toBe(
      "- payment 1 failed <b>&</b> {noformat}\n- payment 2 failed ```\n"
    )
    expect(text("{{labels.team}} {{labels}} {{labels.none}}{{#url}}{{url}}{{/url}}")).toContain("shop team=shop ")
  })

  it("stay what they were where nothing comes out", () => {
    const message = alerting("resolved")
    expect(applied({ title: " {{labels.none}} ", text: "" }, message)).toEqual(message)
    expect(applied(undefined, message)).toBe(message)
    expect(applied({ title: "a\n{{rule}} b" }, message).title).toBe("a b")
  })

  it("tell nothing but the message", () => {
    for (const source of [
      "{{constructor}}",
      "{{__proto__}}",
      "{{labels.constructor.name}}x{{title.length}}",
      "{{#toString}}{{/toString}}"
    ]) {
      expect(fault(source)).toContain("expected a name of the message")
    }
    expect(text("a{{labels.constructor}}{{labels.__proto__}}b")).toBe("ab")
  })

  it.each([
    ["{{#alerts}}x", "expected {{/alerts}}"],
    ["x{{/alerts}}", "no end of a section here"],
    ["{{#alerts}}{{#samples}}{{/alerts}}{{/samples}}", "expected {{/samples}}, got {{/alerts}}"],
    ["{{title", "in pairs"],
    ["a }} b", "in pairs"],
    ["{{{title}}}", "in pairs"],
    ["{{titel}}", '"titel"'],
    ["x".repeat(4_001), "at most 4000 characters"],
    ["{{#alerts}}".repeat(9), "at most 5 deep"]
  ])("are refused when they are saved: %s", (source, expected) => {
    expect(fault(source)).toContain(expected)
  })

  it("end soon and short, whatever they say", () => {
    const alert = alerting("firing").incident!.alerts[0]!
    const incident = { id: "i", count: 500, alerts: Array.from({ length: 500 }, () => alert) }
    const begun = performance.now()
    const nested = "{{#alerts}}{{#alerts}}{{#alerts}}{{#alerts}}{{/alerts}}{{/alerts}}{{/alerts}}{{/alerts}}!"
    expect(text(nested, { incident }).length).toBeLessThanOrEqual(4_000)
    expect(text("{{#alerts}}{{#alerts}}{{reason}}{{/alerts}}{{/alerts}}", { incident }).length).toBe(4_000)
    expect(fault("{{".repeat(2_000))).not.toBe("")
    expect(fault(`{{${" ".repeat(3_990)}`)).not.toBe("")
    expect(performance.now() - begun).toBeLessThan(5_000)
  })

  it("make plain text that each kind escapes for itself", () => {
    const show = (kind: ChannelKind) => {
      const template = { title: "{{title}}", text: "<b>{{#alerts}}{{#samples}}{{.}}{{/samples}}{{/alerts}}" }
      return JSON.stringify(previewOf({ kind, settings: undefined, template, message: alerting("firing") }))
    }
    expect(show("slack")).toContain("&lt;b&gt;payment 1 failed &lt;b&gt;&amp;")
    expect(show("email")).toContain("&lt;b&gt;payment 1 failed &lt;b&gt;&amp;")
    expect(show("jira")).toContain("\\\\{noformat\\\\}")
    expect(show("sms")).toContain("<b>payment 1 failed <b>&</b>")
  })

  it("are checked with a channel's other settings", () => {
    const settings = { url: "https://a.example/hook", template: { text: "{{oops}}" } }
    expect(channelFault("webhook", settings, {})).toMatchObject({ field: "settings" })
    expect(channelFault("webhook", settings, {})!.fault).toContain("template.text: expected a name of the message")
    expect(channelFault("webhook", { ...settings, template: { text: "{{title}}" } }, {})).toBeUndefined()
    expect(channelFault("webhook", { url: "https://u:p@a.example/hook" }, {})!.fault).toContain(
      "without user and password"
    )
    expect(channelFault("webhook", { url: "ftp://a.example" }, {})!.fault).toContain(
      "expected an https:// or http:// URL"
    )
    expect(channelFault("webhook", { url: "https://a.example", hurl: 1 }, {})!.fault).toContain("hurl")
    expect(channelFault("webhook", { url: "https://a.example" }, { token: "x" })!.field).toBe("secrets")
  })
})
