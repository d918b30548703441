#!/usr/bin/env node
/**
 * `npm run bench` lists the benches; `npm run bench -- NAME [--vs PEER] [--json]` runs bench/NAME.ts with Redis and Postgres
 * beside it: those of REDIS_URL and DATABASE_URL, else a throwaway pair. The bench itself reads the flags and prints.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { checkout } from "./launch/places.mjs"
import { prepare } from "./launch/prepare.mjs"
import { giveUp, Refusal } from "./launch/say.mjs"
import { runScript } from "./launch/supervise.mjs"
import { startThrowaway } from "./launch/throwaway.mjs"

const folder = join(checkout, "bench")

/** Each bench with the first sentence of its opening comment. @returns {Map<string, string>} */
const benches = () => {
  const names = readdirSync(folder).filter((file) => file.endsWith(".ts")).map((file) => file.slice(0, -3))
  return new Map(
    names.sort().map((name) => {
      const opening = /\/\*\*([\s\S]*?)\*\//u.exec(readFileSync(join(folder, `${name}.ts`), "utf8"))?.[1] ?? ""
      return [name, opening.replace(/\s*\n\s*\*\s?/gu, " ").trim().split(/(?<=\.)\s/u)[0] ?? ""]
    })
  )
}

const main = async () => {
  const args = process.argv.slice(2)
  const [name, ...rest] = args
  const known = benches()
  if (name === undefined) {
    for (const [bench, about] of known) process.stdout.write(`${bench.padEnd(16)}${about}\n`)
    return 0
  }
  if (!known.has(name)) throw new Refusal(`bench: expected one of ${[...known.keys()].join(", ")}, got ${name}`, 2)
  const code = await prepare(process.env, { dev: true, script: import.meta.url, args })
  if (code !== undefined) return code
  const { stop, ...urls } = await startThrowaway(process.env)
  try {
    return await runScript(`bench/${name}.ts`, rest, { ...process.env, ...urls })
  } finally {
    await stop()
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  process.exitCode = giveUp(error)
}
