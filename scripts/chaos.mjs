#!/usr/bin/env node
/**
 * `npm run chaos -- --seed N --minutes 5`: installs what is missing and gets a Node that is good enough, then hands its
 * arguments to test/chaos/main.ts.
 */
import { prepare } from "./launch/prepare.mjs"
import { giveUp } from "./launch/say.mjs"
import { runScript } from "./launch/supervise.mjs"

const args = process.argv.slice(2)

try {
  const code = await prepare(process.env, { dev: true, script: import.meta.url, args })
  process.exitCode = code ?? (await runScript("test/chaos/main.ts", args, process.env))
} catch (error) {
  process.exitCode = giveUp(error)
}
