/** The engine as other projects install it: built, put under node_modules, imported by name, typed. */
import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, expect, it } from "vitest"
import { freshNamespace, redisUrl } from "../support/engine.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "loglytics-library-"))
const env = { ...process.env, REDIS_URL: redisUrl, LOGLYTICS_NAMESPACE: freshNamespace("library") }

beforeAll(() => {
  const modules = join(folder, "node_modules")
  mkdirSync(modules)
  execFileSync(process.execPath, [join(root, "scripts/build.mjs"), join(folder, "built")], { env })
  cpSync(join(folder, "built"), join(modules, "loglytics"), { recursive: true })
  for (const name of ["effect", "ioredis", "postgres"])
    symlinkSync(join(root, "node_modules", name), join(modules, name))
}, 60_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

it("runs by name from node_modules, as plain JavaScript", () => {
  const example = readFileSync(join(root, "examples/hello.ts"), "utf8")
  writeFileSync(join(folder, "hello.ts"), example.replace("../src/engine.ts", "loglytics/engine"))
  const printed = execFileSync(process.execPath, ["--no-warnings", "hello.ts"], { cwd: folder, env, encoding: "utf8" })
  expect(printed).toContain("Hello, world!")
})

it("runs handlers in threads", () => {
  const imports =
    'import { Effect, Layer, Schema } from "effect"\nimport { layer, Task, Workers } from "loglytics/engine"\n'
  writeFileSync(join(folder, "twice.thread.ts"), "export default ({ n }: { n: number }) => n * 2\n")
  writeFileSync(
    join(folder, "twice.ts"),
    `${imports}
const Twice = Task.make("twice", { payload: { n: Schema.Int }, result: Schema.Int })
const live = Twice.inThreads({ module: new URL("./twice.thread.ts", import.meta.url) })
const { REDIS_URL: url = "", LOGLYTICS_NAMESPACE: namespace = "" } = process.env
const app = Workers.layer().pipe(Layer.provide(live), Layer.provideMerge(layer({ url, namespace })))
console.log(await Effect.runPromise(Effect.provide(Twice.run({ n: 21 }), app)))
`
  )
  const options = { cwd: folder, env, encoding: "utf8", timeout: 30_000 } as const
  expect(execFileSync(process.execPath, ["--no-warnings", "twice.ts"], options)).toContain("42")
  for (const name of ["handler", "watchdog"]) {
    expect(existsSync(join(folder, `built/actors/threads/${name}.thread.js`))).toBe(true)
  }
})

it("brings its types", () => {
  writeFileSync(
    join(folder, "typed.ts"),
    [
      'import { Task } from "loglytics/engine"',
      'import { TestEngine } from "loglytics/testing"',
      'import { Schema } from "effect"',
      'const A = Task.make("a", { payload: { n: Schema.Int } })',
      "export const right = A.enqueue({ n: 1 })",
      "// @ts-expect-error a text is no number",
      'export const wrong = A.enqueue({ n: "one" })',
      "export const layer = TestEngine.layer"
    ].join("\n")
  )
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/typescript/bin/tsc"),
      "--noEmit",
      "--strict",
      "--skipLibCheck",
      "--module",
      "nodenext",
      "--target",
      "es2024",
      "--typeRoots",
      join(root, "node_modules/@types"),
      "--types",
      "node",
      "typed.ts"
    ],
    { cwd: folder, encoding: "utf8" }
  )
  expect(stdout).toBe("")
  expect(status).toBe(0)
})
