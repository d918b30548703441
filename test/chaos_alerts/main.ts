/**
 * `npm run chaos -- --alerts 1000 --seed N --minutes 2`: a long run of chaos over alerts. Prints its seed first, each deed as it
 * is done, and the verdict. Exit code 1 where a check has found something.
 */
import { parseArgs } from "node:util"
import { anySeed } from "../chaos/Seed.ts"
import { run } from "./Chaos.ts"

const { values } = parseArgs({
  options: {
    alerts: { type: "string", default: "1000" },
    seed: { type: "string", default: String(anySeed()) },
    minutes: { type: "string", default: "2" },
    deeds: { type: "string", default: "0.8" }
  }
})

const numberOf = (name: "alerts" | "seed" | "minutes" | "deeds"): number => {
  const value = Number(values[name])
  if (!Number.isFinite(value) || value < 0) throw new Error(`--${name}: expected a number, got ${values[name]}`)
  return value
}

const seed = numberOf("seed")
console.log(`seed ${seed}`)
const { figures, findings } = await run({
  seed,
  forMs: numberOf("minutes") * 60_000,
  alerts: numberOf("alerts"),
  deedsPerSecond: numberOf("deeds"),
  ends: true,
  say: (line) => console.log(line)
})
console.log(
  Object.entries(figures)
    .map(([name, value]) => `${name} ${value}`)
    .join("  ")
)
for (const finding of findings) console.log(`✗ ${finding}`)
console.log(findings.length === 0 ? `✓ nothing was found (seed ${seed})` : `${findings.length} findings (seed ${seed})`)
process.exit(findings.length === 0 ? 0 : 1)
