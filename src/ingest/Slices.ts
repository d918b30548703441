/** Walks what a protocol has read in slices, so that a body of a million events never keeps the event loop to itself. */
import { encodeFit } from "./Fit.ts"
import type { Sent } from "./Protocol.ts"

/** Steps of a slice: events, or what was rejected. */
const stepsMax = 250
/** Characters after which a slice ends. */
const charsMax = 128 * 1024

/** Hands out the events as lines of the stream, without the first `skip`; undefined when there are no more. */
export const slices = (sent: Sent, skip: number): (() => ReadonlyArray<string> | undefined) => {
  const events = sent.events[Symbol.iterator]()
  let number = 0
  let over = false
  return () => {
    if (over) return undefined
    const lines: Array<string> = []
    for (let steps = 0, chars = 0; steps < stepsMax && chars < charsMax; steps++) {
      const step = events.next()
      if (step.done === true) {
        over = true
        break
      }
      if (step.value === undefined || number++ < skip) continue
      const line = encodeFit(step.value)
      chars += line.length
      lines.push(line)
    }
    return lines
  }
}
