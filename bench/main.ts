/**
 * `npm run bench` lists the benches; `npm run bench -- NAME [--vs PEER] [--json]` runs one. Uses the servers of REDIS_URL and
 * DATABASE_URL, else a throwaway pair. With --json one object per figure and line, nothing else on standard output.
 */
import { parseArgs } from "node:util"
import { startThrowaway } from "../scripts/launch/throwaway.mjs"
import { benches } from "./all.ts"
import type { Figure } from "./Bench.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { vs: { type: "string" }, json: { type: "boolean", default: false } }
})

const list = () => {
  for (const b of benches) {
    console.log(`${b.name.padEnd(12)} ${b.about}${b.peers.length === 0 ? "" : `  (--vs ${b.peers.join(" | ")})`}`)
  }
}

const show = (f: Figure): string => {
  const against =
    f.peer === null ? "" : `   ${f.peer} ${f.peer_value?.toLocaleString("en")} ${f.unit}   ratio ${f.ratio}`
  return `${f.metric.padEnd(28)} ${f.ours.toLocaleString("en")} ${f.unit}${against}`
}

const main = async (): Promise<number> => {
  const name = positionals[0]
  if (name === undefined) {
    list()
    return 0
  }
  const bench = benches.find((b) => b.name === name)
  if (bench === undefined) {
    console.error(`expected one of ${benches.map((b) => b.name).join(", ")}, got ${name}`)
    return 2
  }
  if (values.vs !== undefined && !bench.peers.includes(values.vs)) {
    console.error(`--vs: expected one of ${bench.peers.join(", ")}, got ${values.vs}`)
    return 2
  }
  const { stop, ...urls } = await startThrowaway(process.env)
  // Benches start the application in processes of its own.
  Object.assign(process.env, urls)
  try {
    const figures = await bench.run({
      redisUrl: urls.REDIS_URL,
      databaseUrl: urls.DATABASE_URL,
      vs: values.vs,
      log: (line) => (values.json ? undefined : console.log(line))
    })
    for (const f of figures) console.log(values.json ? JSON.stringify(f) : show(f))
    return 0
  } finally {
    await stop()
  }
}

process.exit(await main())
