/**
 * `npm run chaos -- --lines --seed N --minutes 5`: a long run of chaos over lines. Prints its seed first, each deed as it is
 * done, and the verdict. Exit code 1 where a check has found something.
 *
 * `--only kill,killRedis` harms in these ways only · `--fsync everysec` is how production runs · `--deeds` per second.
 */
import { parseArgs } from "node:util"
import { anySeed } from "../chaos/Seed.ts"
import { run } from "./Chaos.ts"
import { type VerbName, verbNames } from "./Verbs.ts"

const { values } = parseArgs({
  options: {
    lines: { type: "boolean" },
    seed: { type: "string", default: String(anySeed()) },
    minutes: { type: "string", default: "1" },
    only: { type: "string" },
    fsync: { type: "string", default: "always" },
    deeds: { type: "string", default: "0.8" }
  }
})

const numberOf = (name: "seed" | "minutes" | "deeds"): number => {
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
const { figures, findings } = await run({
  seed,
  forMs: numberOf("minutes") * 60_000,
  deedsPerSecond: numberOf("deeds"),
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
console.log(findings.length === 0 ? `✓ nothing was found (seed ${seed})` : `${findings.length} findings (seed ${seed})`)
process.exit(findings.length === 0 ? 0 : 1)
