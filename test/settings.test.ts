import { Redacted } from "effect"
import { expect, it } from "vitest"
import { envExample, read } from "../src/Settings.ts"

it("gives defaults for what is not set or empty", () => {
  const result = read({ PORT: "" })
  expect(result).toMatchObject({ ok: true, settings: { port: 8080, namespace: "lg", apiKey: undefined } })
})

it("names every wrong value, what was expected and what was got, but no secret", () => {
  const result = read({
    PORT: "99999",
    LOGLYTICS_NAMESPACE: "a b",
    REDIS_URL: "http://user:hunter2@host",
    LOGLYTICS_API_KEY: "short-hunter2"
  })
  expect(result.ok).toBe(false)
  const faults = result.ok ? [] : result.faults
  expect(faults.map((fault) => fault.split(":")[0])).toEqual([
    "PORT",
    "LOGLYTICS_API_KEY",
    "REDIS_URL",
    "LOGLYTICS_NAMESPACE"
  ])
  expect(faults[0]).toBe('PORT: expected a port, 0 to 65535 (0 = any free one), got "99999"')
  expect(faults.join("\n")).not.toContain("hunter2")
})

it("keeps secrets out of sight", () => {
  const result = read({ REDIS_URL: "redis://:hunter2@host" })
  expect(JSON.stringify(result)).not.toContain("hunter2")
  expect(result.ok && Redacted.value(result.settings.redisUrl)).toBe("redis://:hunter2@host")
})

it("prints an example that reads as the defaults", () => {
  const lines = envExample()
    .split("\n")
    .filter((line) => /^[A-Z]/u.test(line))
  const env = Object.fromEntries(lines.map((line) => line.split("=") as [string, string]))
  expect(read(env)).toEqual(read({}))
})
