/**
 * `npm run bench` lists the benches; `npm run bench -- NAME [--vs PEER]` runs one; `npm run bench -- --vs PEER` runs every scenario
 * against that peer and prints the whole table. With --json one object per figure and line, nothing else on standard output.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { startThrowaway } from "../scripts/launch/throwaway.mjs"
import { benches } from "./all.ts"
import type { Figure } from "./Bench.ts"
import { contestants } from "./versus/all.ts"
import { picture } from "./versus/Picture.ts"
import { figuresOf, type Row, rowsOf } from "./versus/Row.ts"
import { runScenarios } from "./versus/run.ts"
import { allScenarios } from "./versus/scenarios/all.ts"
import { markdown, plain } from "./versus/Table.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    vs: { type: "string" },
    lines: { type: "string" },
    json: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    svg: { type: "string" },
    save: { type: "string" },
    from: { type: "string" },
    markdown: { type: "boolean", default: false }
  }
})
const peers = Object.keys(contestants).filter((name) => name !== "loglytics")
const log = (line: string) => (values.json ? undefined : console.log(line))

const list = () => {
  for (const b of benches) console.log(`${b.name.padEnd(12)} ${b.about}  (--vs ${b.peers.join(" | ")})`)
  for (const s of allScenarios) console.log(`${s.name.padEnd(12)} ${s.about}`)
  console.log(
    `\nThe ${allScenarios.length} scenarios from ${allScenarios[0]?.name} on: --vs ${peers.join(" | ")}, raw or all`
  )
  for (const { about, absent, name } of Object.values(contestants)) {
    const reason = absent?.()
    console.log(`  ${name.padEnd(16)} ${about}${reason === undefined ? "" : ` — ${reason}`}`)
  }
  console.log(
    "\n--vs PEER alone runs all scenarios; --full many times the jobs and rounds; --json figures as JSON lines;"
  )
  console.log(
    "--save FILE keeps the rows, --from FILE,FILE shows kept ones; --svg FILE draws them; --markdown prints Markdown"
  )
}

const show = (f: Figure): string => {
  const against =
    f.peer === null ? "" : `   ${f.peer} ${f.peer_value?.toLocaleString("en")} ${f.unit}   ratio ${f.ratio}`
  return `${f.metric.padEnd(28)} ${f.ours.toLocaleString("en")} ${f.unit}${against}`
}

/** The raw limit of the machine takes part in every run; `all` brings everybody. */
const chosenPeers = (vs: string): ReadonlyArray<string> => (vs === "all" ? peers : vs === "raw" ? ["raw"] : ["raw", vs])

const keep = (rows: ReadonlyArray<Row>): void => {
  if (values.save !== undefined) writeFileSync(values.save, `${JSON.stringify(rows, undefined, 1)}\n`)
}

const versus = async (name: string | undefined, vs: string): Promise<number> => {
  const chosen = chosenPeers(vs)
  const scenarios = name === undefined ? allScenarios : allScenarios.filter((s) => s.name === name)
  const rows =
    values.from === undefined
      ? await runScenarios({ scenarios, peers: chosen, full: values.full, log, kept: keep })
      : values.from.split(",").flatMap((file) => rowsOf(readFileSync(file, "utf8")))
  if (values.svg !== undefined) {
    const caption =
      "Loglytics and others on the same machine in the same run; medians. Each panel has its own scale; a broken bar is too long for it."
    writeFileSync(values.svg, picture(rows, ["loglytics", ...chosen], caption))
  }
  if (values.json) for (const f of figuresOf(rows)) console.log(JSON.stringify(f))
  else console.log(`\n${(values.markdown ? markdown : plain)(rows, chosen)}`)
  return 0
}

const single = async (name: string): Promise<number> => {
  const bench = benches.find((b) => b.name === name)
  if (bench === undefined) {
    const names = [...benches, ...allScenarios].map((b) => b.name)
    console.error(`expected one of ${names.join(", ")}, got ${name}`)
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
    const lines = values.lines === undefined ? {} : { lines: Number(values.lines) }
    const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = urls
    const figures = await bench.run({ redisUrl, databaseUrl, vs: values.vs, log, ...lines })
    for (const f of figures) console.log(values.json ? JSON.stringify(f) : show(f))
    return 0
  } finally {
    await stop()
  }
}

const main = async (): Promise<number> => {
  const name = positionals[0]
  if (name === undefined && values.vs === undefined) {
    list()
    return 0
  }
  if (name !== undefined && !allScenarios.some((s) => s.name === name)) return single(name)
  const vs = values.vs ?? "all"
  if (vs !== "all" && !peers.includes(vs)) {
    console.error(`--vs: expected one of ${peers.join(", ")} or all, got ${vs}`)
    return 2
  }
  const absent = contestants[vs]?.absent?.()
  if (absent !== undefined) {
    console.error(`--vs ${vs}: ${absent}`)
    return 2
  }
  return versus(name, vs)
}

process.exit(await main())
