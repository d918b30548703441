/**
 * Preloaded into a worker process: a `Date` that can be set off from the machine's by a message, at start or in the midst of
 * work, as clocks of real machines are. Timers run on, as they do there.
 */
let offMs = 0
const Real = Date

class Skewed extends Real {
  constructor(...args: ReadonlyArray<never>) {
    if (args.length === 0) super(Real.now() + offMs)
    else super(...(args as unknown as [number]))
  }
  static override now(): number {
    return Real.now() + offMs
  }
}
globalThis.Date = Skewed as DateConstructor

process.on("message", (message) => {
  if (typeof message === "object" && message !== null && "skewMs" in message) offMs = Number(message.skewMs)
})
// The parent's channel must not keep a worker alive that is done.
process.channel?.unref()
