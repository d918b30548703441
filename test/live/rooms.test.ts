/** What a subscriber is told when it is too slow, comes late, or hears nothing for long: every loss is said, and where it was. */
import { describe, expect, it } from "vitest"
import type { ServerMessage } from "../../src/live/Protocol.ts"
import { bufferedMax, type Event, Rooms } from "../../src/live/Rooms.ts"

const makeOutlet = () => {
  const heard: Array<ServerMessage> = []
  return { bufferedAmount: 0, send: (text: string) => void heard.push(JSON.parse(text) as ServerMessage), heard }
}
type Outlet = ReturnType<typeof makeOutlet>

/** What was heard, in short. */
const heard = (outlet: Outlet): ReadonlyArray<string> =>
  outlet.heard.map((message) =>
    message.type === "event"
      ? `${message.seq}:${message.data.join()}`
      : message.type === "skipped"
        ? `skipped ${message.count}`
        : message.type
  )

const tail = (seq: string, data: ReadonlyArray<unknown>, more: Partial<Event> = {}): Event => ({
  topic: "tail",
  seq,
  project: "p",
  data,
  ...more
})

const joined = (accepts: (item: unknown) => boolean = () => true) => {
  const rooms = new Rooms()
  const outlet = makeOutlet()
  rooms.join(outlet, { topic: "tail", project: "p", accepts })
  return { rooms, outlet }
}

describe("rooms", () => {
  it("tell a slow socket how much it missed, before the next event or when it has caught up", () => {
    const { outlet, rooms } = joined((item) => item !== "no")
    rooms.begin(outlet, "tail", [], "1-0")
    outlet.bufferedAmount = bufferedMax + 1
    rooms.dispatch(tail("2-0", ["a", "no", "b"]))
    rooms.settle()
    expect(heard(outlet)).toEqual([])
    outlet.bufferedAmount = 0
    rooms.dispatch(tail("3-0", ["c"]))
    expect(heard(outlet)).toEqual(["skipped 2", "3-0:c"])
    outlet.bufferedAmount = bufferedMax + 1
    rooms.dispatch(tail("4-0", ["d"]))
    outlet.bufferedAmount = 0
    rooms.settle()
    rooms.settle()
    expect(heard(outlet).slice(2)).toEqual(["skipped 1", "4-0:"])
  })

  it("hold what comes while a snapshot loads, and tell what was too much behind it", () => {
    const { outlet, rooms } = joined()
    for (let n = 1; n <= 1_001; n++) rooms.dispatch(tail(`${n}-0`, [n]))
    rooms.settle()
    rooms.begin(outlet, "tail", [], "999-0")
    rooms.dispatch(tail("1002-0", ["next"]))
    expect(heard(outlet)).toEqual(["1000-0:1000", "skipped 1", "1002-0:next"])
  })

  it("move on a tail for which nothing was, so that it need not be told of a gap when it comes back", () => {
    const { outlet, rooms } = joined((item) => item === "yes")
    rooms.begin(outlet, "tail", [], "1-0")
    rooms.settle()
    rooms.dispatch(tail("2-0", ["no"]))
    rooms.dispatch(tail("3-0", ["yes"], { project: "another" }))
    rooms.settle()
    rooms.settle()
    rooms.dispatch(tail("4-0", ["yes"]))
    rooms.settle()
    expect(heard(outlet)).toEqual(["3-0:", "4-0:yes"])
  })

  it("tell of gaps: one that a publication brings, and one in a whole topic", () => {
    const { outlet, rooms } = joined()
    const other = makeOutlet()
    rooms.join(other, { topic: "alerts", project: "p", accepts: () => true })
    rooms.begin(other, "alerts", [], "1-0")
    rooms.dispatch(tail("2-0", [], { gap: true }))
    rooms.begin(outlet, "tail", [], "1-0")
    rooms.dispatch(tail("3-0", ["a"], { gap: true }))
    rooms.gap("tail", "another")
    rooms.gap("tail")
    expect(heard(outlet)).toEqual(["gap", "gap", "3-0:a", "gap"])
    expect(heard(other)).toEqual([])
  })
})
