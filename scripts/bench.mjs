#!/usr/bin/env node
/**
 * `npm run bench`: installs what is missing and gets a Node that is good enough, then hands its arguments to bench/main.ts,
 * which knows the benches.
 */
import { prepare } from "./launch/prepare.mjs"
import { giveUp } from "./launch/say.mjs"
import { runScript } from "./launch/supervise.mjs"

const args = process.argv.slice(2)

try {
  const code = await prepare(process.env, { dev: true, script: import.meta.url, args })
  process.exitCode = code ?? (await runScript("bench/main.ts", args, process.env))
} catch (error) {
  process.exitCode = giveUp(error)
}
