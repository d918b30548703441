/**
 * `npm run build`: the engine as a package of plain JavaScript in `dist/`, to be installed by other projects (Node does not
 * strip types under node_modules). Promises the doors `loglytics/engine`, `loglytics/testing` and `loglytics/outbox` with
 * their types, and nothing of the application.
 */
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const out = resolve(root, process.argv[2] ?? "dist")
/** @type {{ version: string, description: string, license: string, exports: Record<string, string>, dependencies: Record<string, string> }} */
const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const doors = Object.entries(own.exports).map(([name, source]) => ({ name, path: source.replace("./src/", "./") }))
// What worker threads begin with is named by no import.
const threads = readdirSync(join(root, "src/actors"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".thread.ts"))
  .map((file) => join("actors", file))

rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
const settings = join(out, "tsconfig.json")
writeFileSync(
  settings,
  JSON.stringify({
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      rootDir: join(root, "src"),
      outDir: out,
      typeRoots: [join(root, "node_modules/@types")],
      plugins: []
    },
    include: [],
    files: [...doors.map(({ path }) => path), ...threads].map((path) => join(root, "src", path))
  })
)
const { status } = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", settings], {
  stdio: "inherit"
})
rmSync(settings)
if (status !== 0) process.exit(status ?? 1)

for (const file of readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })) {
  if (!file.endsWith(".lua")) continue
  mkdirSync(dirname(join(out, file)), { recursive: true })
  cpSync(join(root, "src", file), join(out, file))
}

const needed = ["effect", "ioredis", "postgres"]
writeFileSync(
  join(out, "package.json"),
  `${JSON.stringify(
    {
      name: "loglytics",
      version: own.version,
      description: "Typed background jobs on Redis Streams",
      license: own.license,
      type: "module",
      engines: { node: ">=22.19" },
      exports: Object.fromEntries(
        doors.map(({ name, path }) => {
          const base = path.replace(/\.ts$/u, "")
          return [name, { types: `${base}.d.ts`, default: `${base}.js` }]
        })
      ),
      dependencies: Object.fromEntries(needed.map((name) => [name, own.dependencies[name]]))
    },
    null,
    2
  )}\n`
)
const names = doors.map(({ name }) => name.replace("./", "loglytics/"))
console.log(`built ${names.join(", ")} in ${out}; try: npm install ${out}`)
