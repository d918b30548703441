/** A duration that somebody has said, in ms. Promises NaN for what is none, a NaN too, which Effect takes for no time at all. Pure. */
import { Duration, Option } from "effect"

export const millis = (input: Duration.Input): number =>
  Number.isNaN(input)
    ? Number.NaN
    : Option.match(Duration.fromInput(input), { onNone: () => Number.NaN, onSome: Duration.toMillis })
