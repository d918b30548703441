/**
 * `npm run chaos -- --seed N --minutes 5`: a long run. Prints its seed first, each deed as it is done, and the verdict; the same
 * seed does the same deeds to the same work. Exit code 1 where a check has found something.
 *
 * `--only kill,freeze` harms in these ways only · `--fsync everysec` is how production runs: what was accepted is written, but
 * not yet synced, so that only a crash of the machine could lose it · `--asks`, `--deeds` per second · `--workers`.
 */
import { parseArgs } from "node:util"
import { run } from "./Chaos.ts"
import { anySeed } from "./Seed.ts"
import { type VerbName, verbNames } from "./Verbs.ts"

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(anySeed()) },
    minutes: { type: "string", default: "1" },
    only: { type: "string" },
    fsync: { type: "string", default: "always" },
    asks: { type: "string", default: "60" },
    deeds: { type: "string", default: "1" },
    workers: { type: "string", default: "3" }
  }
})

const numberOf = (name: "seed" | "minutes" | "asks" | "deeds" | "workers"): number => {
  const value = Number(values[name])
  if (!Number.isFinite(value) || value < 0) throw new Error(`--${name}: expected a number, got ${values[name]}`)
  return value
}
const only = values.only?.split(",").map((name) => {
  const verb = verbNames.find((known) => known === name)
  if (verb === undefined) throw new Error(`--only: expected some of ${verbNames.join(",")}, got ${name}`)
  return verb
}) satisfies ReadonlyArray<VerbName> | undefined
const { fsync } = values
if (fsync !== "always" && fsync !== "everysec") throw new Error(`--fsync: expected always or everysec, got ${fsync}`)

const seed = numberOf("seed")
console.log(`seed ${seed}`)
const { figures, findings, stories } = await run({
  seed,
  forMs: numberOf("minutes") * 60_000,
  asksPerSecond: numberOf("asks"),
  deedsPerSecond: numberOf("deeds"),
  workers: numberOf("workers"),
  fsync,
  ...(only === undefined ? {} : { only }),
  say: (line) => console.log(line)
})
console.log(
  Object.entries(figures)
    .map(([name, value]) => `${name} ${value}`)
    .join("  ")
)
for (const finding of findings) console.log(`✗ ${finding}`)
for (const story of stories) console.log(`\n${story}\n`)
console.log(findings.length === 0 ? `✓ nothing was found (seed ${seed})` : `${findings.length} findings (seed ${seed})`)
process.exit(findings.length === 0 ? 0 : 1)
