#!/usr/bin/env node
/**
 * `npm run chaos -- --seed N --minutes 5`: installs what is missing and gets a Node that is good enough, then hands its
 * arguments to test/chaos/main.ts; with `--lines` to test/chaos_lines/main.ts, which harms log lines instead of jobs,
 * with `--alerts` (how many) to test/chaos_alerts/main.ts, which asks what people hear.
 */
import { prepare } from "./launch/prepare.mjs"
import { giveUp } from "./launch/say.mjs"
import { runScript } from "./launch/supervise.mjs"

const args = process.argv.slice(2)
const main = args.includes("--alerts")
  ? "test/chaos_alerts/main.ts"
  : args.includes("--lines")
    ? "test/chaos_lines/main.ts"
    : "test/chaos/main.ts"

try {
  const code = await prepare(process.env, { dev: true, script: import.meta.url, args })
  process.exitCode = code ?? (await runScript(main, args, process.env))
} catch (error) {
  process.exitCode = giveUp(error)
}
