/** Private addresses, in every way to write them; and the pace of calls. */
import { describe, expect, it } from "vitest"
import { addressOf, checkHost, isPrivate, literalFault } from "../../src/outside/Addresses.ts"
import { take } from "../../src/ingest/Pace.ts"

describe("addresses", () => {
  it.each([
    "127.0.0.1",
    "10.1.2.3",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "::1",
    "::",
    "[::1]",
    "fe80::1%eth0",
    "fd00::1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::a00:1",
    "::127.0.0.1",
    "::a9fe:a9fe",
    "2002:a00:1::",
    "no address"
  ])("%s is private", (address) => {
    expect(isPrivate(address)).toBe(true)
  })

  it.each(["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"])("%s is public", (address) => {
    expect(isPrivate(address)).toBe(false)
  })

  it("sees through the ways that URLs know to write an address", () => {
    for (const host of ["127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "[::ffff:127.0.0.1]"]) {
      expect(literalFault(new URL(`http://${host}/`), false)).toBeDefined()
      expect(literalFault(new URL(`http://${host}/`), true)).toBeUndefined()
    }
    expect(literalFault(new URL("http://example.org/"), false)).toBeUndefined()
  })

  it("judges a name by its addresses", async () => {
    await expect(checkHost(new URL("http://localhost/"), false)).rejects.toThrow(/expected a public address/u)
    await checkHost(new URL("http://localhost/"), true)
  })

  it("gives those who connect by themselves the address that was judged", async () => {
    for (const host of ["localhost", "127.1", "2130706433", "0x7f.0.0.1", "127.0.0.1", "::1"]) {
      await expect(addressOf(host, false)).rejects.toThrow(/expected a public address/u)
      expect(await addressOf(host, true)).toMatch(/^(?:127\.0\.0\.1|::1)$/u)
    }
    expect(await addressOf("8.8.8.8", false)).toBe("8.8.8.8")
    await expect(addressOf("", false)).rejects.toThrow(/hostname|address/u)
  })
})

describe("pace", () => {
  it("lets a burst through and then so many a second", () => {
    const rate = { perSecond: 5, burst: 2 }
    let bucket
    const waits: Array<number> = []
    for (let i = 0; i < 4; i++) {
      const taken = take(bucket, rate, 1_000)
      bucket = taken.bucket
      waits.push(taken.waitMs)
    }
    expect(waits).toEqual([0, 0, 200, 400])
    expect(take(bucket, rate, 1_600).waitMs).toBe(0)
    // A clock that was set back grants nothing.
    expect(take({ tokens: 0, at: 5_000 }, rate, 1_000).waitMs).toBe(200)
  })
})
