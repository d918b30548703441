import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { parseLine } from "../../src/parse/all.ts"
import { day, timeOfText } from "../../src/parse/Time.ts"
import { prop } from "../support/property.ts"

const now = Date.UTC(2026, 10, 23, 20)
const timeOf = (line: string, at = now): string | undefined => {
  const { time } = parseLine(line, { now: at })
  return time === at ? undefined : new Date(time).toISOString()
}

describe("the time of a line", () => {
  it.each([
    ["2015-10-18 18:01:47,978 INFO [main] x: y", "2015-10-18T18:01:47.978Z"],
    ["2015-10-18T18:01:47.978Z x", "2015-10-18T18:01:47.978Z"],
    ["2015-10-18T18:01:47+02:00 x", "2015-10-18T16:01:47.000Z"],
    ["2015-10-18T18:01:47.123456789-0530 x", "2015-10-18T23:31:47.123Z"],
    ["2015-10-18 18:01:47 +0100 x", "2015-10-18T17:01:47.000Z"],
    ["2015-10-18 18:01:47.5 UTC [12] LOG: x", "2015-10-18T18:01:47.500Z"],
    ["2021-11-09  5:13:12 8 [Warning] x", "2021-11-09T05:13:12.000Z"],
    ["17/06/09 20:10:40 INFO executor.X: y", "2017-06-09T20:10:40.000Z"],
    ["081109 203615 148 INFO dfs.DataNode: x", "2008-11-09T20:36:15.000Z"],
    ["20171223-22:15:29:606|Step_LSC|1|x", "2017-12-23T22:15:29.606Z"],
    ["20171223-23:1:0:12|Step_LSC|1|x", "2017-12-23T23:01:00.012Z"],
    ["[Sun Dec 04 04:47:44 2005] [notice] x", "2005-12-04T04:47:44.000Z"],
    ["[Thu Sep 30 13:27:06.010056 2021] [:error] x", "2021-09-30T13:27:06.010Z"],
    ["- 1117838570 2005.06.03 R02 2005-06-03-15.42.50.675872 R02 RAS KERNEL INFO x", "2005-06-03T22:42:50.000Z"],
    ["KERNDTLB 1118552691 2005.06.11 R30 x", "2005-06-12T05:04:51.000Z"],
    ["134681 node-246 unix.hw state_change.unavailable 1077804742 1 x", "2004-02-26T14:12:22.000Z"],
    ["03-17 16:13:38.811  1702  2395 D WindowManager: x", "2026-03-17T16:13:38.811Z"],
    ["Jun 14 15:16:01 combo sshd(pam_unix)[19939]: x", "2026-06-14T15:16:01.000Z"],
    ["Jul  9 12:16:51 combo ftpd[23154]: x", "2026-07-09T12:16:51.000Z"],
    ["I0505 17:59:40.692994   28133 klog.go:70] x", "2026-05-05T17:59:40.692Z"],
    ["I20210131 14:48:54.411655 15520 main.c++:9] x", "2021-01-31T14:48:54.411Z"],
    ["2020/01/02 03:04:05 [error] 31#31: *1 x", "2020-01-02T03:04:05.000Z"],
    ["1617200000 started", "2021-03-31T14:13:20.000Z"],
    ["1286536309.586    921 192.168.0.68 TCP_MISS/200", "2010-10-08T11:11:49.586Z"],
    ["1617200000123 started", "2021-03-31T14:13:20.123Z"],
    ["19-Oct-2022 05:34:02.425 client @0x7f x", "2022-10-19T05:34:02.425Z"],
    ["07/11/2022-10:29:01.860293  [**] x", "2022-07-11T10:29:01.860Z"],
    ["25/12/2022 10:29:01 x", "2022-12-25T10:29:01.000Z"],
    ["31.12.2022 10:29:01 x", "2022-12-31T10:29:01.000Z"],
    ["Dec 21, 2021 1:05:06 PM org.foo.Bar run", "2021-12-21T13:05:06.000Z"],
    ["Mon, 02 Jan 2006 15:04:05 -0700 x", "2006-01-02T22:04:05.000Z"],
    ["Sun Jan 10 16:47:39 EST 2021 x", "2021-01-10T21:47:39.000Z"],
    ["1:M 02 Jan 2020 03:04:05.006 * Ready", "2020-01-02T03:04:05.006Z"],
    ["W, [2023-03-13T09:25:23.245316 #1]  WARN -- : x", "2023-03-13T09:25:23.245Z"],
    ["[notice] 2024-01-20T13:54:06.579985Z nonode x", "2024-01-20T13:54:06.579Z"],
    ["http 2018-11-30T22:23:00.186641Z app/my-lb x", "2018-11-30T22:23:00.186Z"],
    ["2016-10-06T00:17:09.669794202Z stdout F x", "2016-10-06T00:17:09.669Z"],
    // No time of its own: those in running text are not the line's.
    ["the session expired at 2025-01-01T00:00:00Z for good", undefined],
    ["user 1234567890 logged in", undefined],
    ["2023-13-01 00:00:00 x", undefined],
    ["2023-02-30 00:00:00 x", undefined],
    ["0001-01-01T00:00:00Z x", undefined],
    ["nothing", undefined],
    ["", undefined]
  ])("%s", (line, expected) => {
    expect(timeOf(line)).toBe(expected)
  })

  it("takes the latest year that is at most a day ahead", () => {
    expect(timeOf("Nov 24 19:00:00 host app[1]: x")).toBe("2026-11-24T19:00:00.000Z")
    expect(timeOf("Nov 25 19:00:00 host app[1]: x")).toBe("2025-11-25T19:00:00.000Z")
    expect(timeOf("Feb 29 19:00:00 host app[1]: x")).toBe("2024-02-29T19:00:00.000Z")
    const newYear = Date.UTC(2027, 0, 1, 0, 10)
    expect(timeOf("Dec 31 23:59:59 host app[1]: x", newYear)).toBe("2026-12-31T23:59:59.000Z")
    expect(timeOf("Jan  1 00:05:00 host app[1]: x", Date.UTC(2026, 11, 31, 23))).toBe("2027-01-01T00:05:00.000Z")
  })

  it("takes the nearest day for a time without date", () => {
    expect(timeOf("12:34:56.789 [info] x")).toBe("2026-11-23T12:34:56.789Z")
    expect(timeOf("23:59:59 [info] x", Date.UTC(2026, 10, 23, 0, 1))).toBe("2026-11-22T23:59:59.000Z")
  })

  it("puts a time more than a day ahead at arrival and keeps it as an attribute", () => {
    const far = parseLine("2030-01-01T00:00:00Z x", { now })
    expect(far.time).toBe(now)
    expect(far.attributes).toEqual({ event_time: "2030-01-01T00:00:00.000Z" })
    expect(timeOf(`${new Date(now + day).toISOString()} x`)).toBe(new Date(now + day).toISOString())
  })
})

describe("the time of a field", () => {
  const moment = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 253_402_300_799_999 })))
  prop("reads every ISO time that JavaScript writes", [moment], ([ms]) => {
    expect(timeOfText(new Date(ms).toISOString(), now)).toBe(ms)
  })

  prop("reads what a computer's other clocks write", [moment], ([ms]) => {
    const whole = Math.floor(ms / 1000) * 1000
    expect(timeOfText(new Date(ms).toUTCString(), now)).toBe(whole)
    expect(timeOfText(new Date(ms).toISOString().replace("Z", "+00:00").replace("T", " "), now)).toBe(ms)
  })

  it.each([
    ["1617200000", 1_617_200_000_000],
    ["1617200000.5", 1_617_200_000_500],
    ["1617200000123456789", 1_617_200_000_123],
    ["2021-03-31", Date.UTC(2021, 2, 31)],
    ["20210331141320", Date.UTC(2021, 2, 31, 14, 13, 20)],
    ["today", Number.NaN],
    ["2021-03-31T10:00:00Z and more", Number.NaN]
  ])("%s", (text, expected) => {
    expect(timeOfText(text, now)).toBe(expected)
  })
})
