#!/usr/bin/env node
/**
 * `npm run types`: TypeScript 7 with Effect's diagnostics in the same pass, through the compiler that @effect/tsgo brings (it
 * is run from its own folder; nothing in node_modules is patched). Errors and warnings of either fail.
 */
import { join } from "node:path"
import { prepare } from "./launch/prepare.mjs"
import { checkout } from "./launch/places.mjs"
import { run, tail } from "./launch/processes.mjs"
import { giveUp, Refusal } from "./launch/say.mjs"

const projects = ["tsconfig.json", "web/tsconfig.json"]

const main = async () => {
  const code = await prepare(process.env, { dev: true, script: import.meta.url, args: [] })
  if (code !== undefined) return code
  const finder = join(checkout, "node_modules/@effect/tsgo/dist/effect-tsgo.cjs")
  const found = await run(process.execPath, [finder, "get-exe-path"], { cwd: checkout })
  if (found.code !== 0) throw new Refusal(`@effect/tsgo: expected the path of its compiler, got ${tail(found.stderr)}`)
  const compiler = found.stdout.trim()
  const results = await Promise.all(
    projects.map((project) => run(compiler, ["--noEmit", "-p", join(checkout, project)], { cwd: checkout }))
  )
  for (const { stderr, stdout } of results) process.stdout.write(stdout + stderr)
  return results.every((one) => one.code === 0) ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  process.exitCode = giveUp(error)
}
