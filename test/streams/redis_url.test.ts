/** Which URLs are read how, and what is told about the others. */
import { describe, expect, it } from "vitest"
import { readRedisUrl, shownRedisUrl } from "../../src/streams/RedisUrl.ts"

const shown = (text: string) => {
  const found = readRedisUrl(text)
  return found.ok ? shownRedisUrl(found.url) : `expected ${found.expected}, got ${found.got}`
}
const read = (text: string) => {
  const found = readRedisUrl(text)
  if (!found.ok) throw new Error(shown(text))
  return found.url
}

describe("the URL of a Redis", () => {
  it.each([
    ["redis://localhost", "redis://localhost:6379"],
    ["redis://:hunter2@10.0.0.1:7000/3", "redis://:***@10.0.0.1:7000/3"],
    ["redis://host/?db=4", "redis://host:6379/4"],
    ["rediss://app:hunter2@[::1]:7000", "rediss://app:***@[::1]:7000"],
    ["redis+cluster://app:p%40ss@a:7000,b,[::1]:7002", "redis+cluster://app:***@a:7000,b:6379,[::1]:7002"],
    ["rediss+cluster://a:7000/?ca=/etc/ca.pem", "rediss+cluster://a:7000"],
    ["redis+sentinel://:hunter2@a,b:26380/main?db=2", "redis+sentinel://:***@a:26379,b:26380/main"]
  ])("%s", (text, what) => expect(shown(text)).toBe(what))

  it("keeps what it was given", () => {
    expect(read("redis://app:p%40s%2Fs@host/7?family=6&replicas=1")).toEqual({
      kind: "single",
      tls: false,
      nodes: [{ host: "host", port: 6379 }],
      name: "",
      username: "app",
      password: "p@s/s",
      db: 7,
      options: { family: 6, replicas: 1 }
    })
    expect(
      read("rediss+sentinel://a/main?sentinelUsername=s&sentinelPassword=t&rejectUnauthorized=false&cert=c&key=k&ca=d")
        .options
    ).toEqual({
      sentinelUsername: "s",
      sentinelPassword: "t",
      rejectUnauthorized: false,
      cert: "c",
      key: "k",
      ca: "d"
    })
  })

  it.each([
    ["http://user:hunter2@host", /^expected a URL that starts with redis:\/\/.*, got http:…$/u],
    ["hunter2", /got a text that is no URL$/u],
    ["redis+what://host", /got redis\+what:…$/u],
    ["redis://user@host", /^expected user:password@ or :password@ before the host, got a user without a password$/u],
    ["redis://:hunter#2@host", /^expected a # in a password written as %23/u],
    ["redis://:hunter2%@host", /^expected a password with a % written as %25/u],
    ["redis://:hunter/2@host", /^expected host or host:port/u],
    ["redis://a,b", /^expected one host .*, got 2 hosts$/u],
    ["redis://host:99999", /^expected a port, 1 to 65535, got 99999$/u],
    ["redis://host/one", /^expected a number of a database, got "one"$/u],
    ["redis+cluster://host/1", /^expected database 0, the only one of a cluster, got 1$/u],
    ["redis+sentinel://host", /^expected the master's name behind the hosts: .*, got none$/u],
    ["redis://host?ca=/etc/ca.pem", /^expected rediss… for the option ca, got redis… without TLS$/u],
    ["rediss://host?rejectUnauthorized=no", /^expected rejectUnauthorized=true or false, got "no"$/u],
    ["rediss://host?cert=a", /^expected cert and key together, got cert alone$/u],
    ["redis://host?sentinelPassword=hunter2", /^expected redis\+sentinel:\/\/ for the option sentinelPassword/u],
    ["redis://host?tsl=1", /^expected the options ca, .*, got "tsl"$/u]
  ])("refuses %s", (text, why) => {
    expect(shown(text)).toMatch(why)
    expect(shown(text)).not.toContain("hunter")
  })
})
