/** Waits for what other processes do, without guessing how long it takes. */
import { setTimeout as pause } from "node:timers/promises"

/** Asks again and again until the answer is not undefined; says what it waited for when it never comes. */
export const eventually = async <A>(
  what: string,
  ask: () => Promise<A | undefined> | A | undefined,
  limitMs = 15_000
): Promise<A> => {
  const until = performance.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > until) throw new Error(`expected ${what} within ${limitMs} ms, it did not come`)
    await pause(20)
  }
}
