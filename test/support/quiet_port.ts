/** Ports for servers that are killed and come back on the same one. */
import { freePort } from "../../scripts/launch/wire.mjs"

/** Systems hand out ports from 32768 on to those who connect. */
const [first, last] = [15_000, 32_000]

/**
 * A free port that nobody gets by connecting. From the others a server may not come back: who connects to a dead port of
 * this host again and again is one day given that very port to connect from, reaches itself, and holds it.
 */
export const quietPort = async (): Promise<number> => {
  for (;;) {
    const wanted = first + Math.floor(Math.random() * (last - first))
    if ((await freePort(wanted)) === wanted) return wanted
  }
}
