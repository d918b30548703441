/**
 * Holds the import table of the house: it is the table. Refuses an import upwards or sideways, a cycle, and a family member
 * that its family's `all.ts` does not name. What the layers do is told by the code itself.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))

interface Import {
  readonly target: string
  readonly typeOnly: boolean
}
/** Every file of ours with what it imports of ours; paths from the checkout, `/` between. */
type Graph = ReadonlyMap<string, ReadonlyArray<Import>>

/** What every door may ask. */
const belowDoors = [
  "src/domain/",
  "src/jobs/",
  "src/streams/",
  "src/store/",
  "src/tasks/",
  "src/schedules/",
  "src/ingest/"
]

/**
 * Folder (or file) → what it may import beside itself. A name with a `/` at its end stands for a folder, one that ends in
 * `/*.ts` for the files directly in it. What is not named here may not be imported.
 */
const table: Readonly<Record<string, ReadonlyArray<string>>> = {
  "src/domain/": [],
  "src/jobs/": [],
  "src/parse/": ["src/domain/"],
  "src/streams/": ["src/jobs/"],
  "src/store/": ["src/domain/"],
  // What ingest and notify have in common on the way out of this host.
  "src/outside/": [],
  "src/ingest/": ["src/domain/", "src/parse/", "src/outside/"],
  "src/notify/": ["src/domain/", "src/outside/"],
  "src/actors/": ["src/jobs/", "src/streams/"],
  // How odd a rate is: the rule type `anomaly` asks the same pure model as detect_anomalies.
  "src/alerts/": ["src/domain/", "src/parse/", "src/store/", "src/analytics/anomaly/"],
  "src/analytics/": ["src/domain/", "src/parse/", "src/store/"],
  "src/pipeline/": ["src/domain/", "src/parse/", "src/streams/", "src/store/", "src/alerts/", "src/analytics/"],
  "src/tasks/": [
    "src/domain/",
    "src/jobs/",
    "src/parse/",
    "src/store/",
    "src/ingest/",
    "src/notify/",
    "src/alerts/",
    "src/analytics/",
    "src/pipeline/*.ts"
  ],
  "src/schedules/": ["src/jobs/", "src/streams/"],
  // A door of the package beside the engine: jobs on their way from a user's Postgres.
  "src/outbox/": ["src/jobs/", "src/streams/", "src/store/Socket.ts"],
  "src/schedules/table.ts": ["src/jobs/", "src/tasks/", "src/schedules/"],
  // One port serves both: http hands a connection that asks for `/live` over to live, never the other way.
  // parse: a preview of what redaction does, and patterns tried before they are kept.
  "src/http/": [...belowDoors, "src/parse/", "src/Settings.ts", "src/live/"],
  "src/live/": belowDoors,
  // `loglytics tail` is a client of live: it speaks its protocol.
  "src/cli/": [...belowDoors, "src/Settings.ts", "src/live/Protocol.ts"],
  "src/Settings.ts": ["src/domain/", "src/streams/RedisUrl.ts"],
  "src/engine.ts": ["src/jobs/", "src/streams/", "src/actors/", "src/schedules/"],
  "src/testing.ts": ["src/testing/"],
  // The engine in memory: no Redis, no workers.
  "src/testing/": ["src/jobs/", "src/schedules/"],
  "src/main.ts": ["src/"],
  "src/main/": ["src/"],
  "web/": []
}

/** Place → who alone may import it, whatever the table says: the doors of the package, main, the schedules of the product. */
const closed: Readonly<Record<string, ReadonlyArray<string>>> = {
  "src/engine.ts": ["src/testing.ts"],
  "src/testing.ts": [],
  "src/testing/": ["src/testing.ts", "src/testing/"],
  "src/main.ts": [],
  "src/main/": ["src/main.ts", "src/main/"],
  "src/schedules/table.ts": ["src/main.ts", "src/main/", "src/http/", "src/live/", "src/cli/"]
}

/** The dashboard shares types with the server, and nothing that runs. */
const sharedTypes = ["src/http/api/", "src/domain/"]

const within = (file: string, place: string): boolean => {
  if (place.endsWith("/*.ts")) return dirname(file) === place.slice(0, -"/*.ts".length)
  return place.endsWith("/") ? file.startsWith(place) : file === place
}

/** The row of the table that a file stands in: the longest that fits. */
const rowOf = (file: string): string | undefined =>
  Object.keys(table)
    .filter((place) => within(file, place))
    .toSorted((a, b) => b.length - a.length)[0]

/** Why an import is refused, or undefined. */
const refusal = (file: string, { target, typeOnly }: Import): string | undefined => {
  const row = rowOf(file)
  if (row === undefined) return `${file} stands in no row of the table`
  const shut = Object.keys(closed).find((place) => within(target, place))
  if (shut !== undefined && !closed[shut]?.some((place) => within(file, place))) {
    return `${file} may not import ${target}: only ${closed[shut]?.join(", ") || "users of the package"} may`
  }
  if (row.endsWith("/") && within(target, row)) return undefined
  if (row === "web/" && typeOnly && sharedTypes.some((place) => within(target, place))) return undefined
  if (table[row]?.some((place) => within(target, place))) return undefined
  return `${file} may not import ${target}: ${row} may import ${table[row]?.join(", ") || "nothing of ours"}`
}

const refusals = (graph: Graph): ReadonlyArray<string> =>
  [...graph].flatMap(([file, imports]) => imports.flatMap((one) => refusal(file, one) ?? []))

/** Rings of imports that load each other. Types are no part of one: they are gone before anything is loaded. */
const cycles = (graph: Graph): ReadonlyArray<string> => {
  const finished = new Set<string>()
  const found: string[] = []
  const visit = (file: string, path: ReadonlyArray<string>): void => {
    const at = path.indexOf(file)
    if (at >= 0) return void found.push([...path.slice(at), file].join(" → "))
    if (finished.has(file)) return
    for (const { target, typeOnly } of graph.get(file) ?? []) if (!typeOnly) visit(target, [...path, file])
    finished.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return found
}

/** Family → where its members lie. A member is named in lower case, as on the wire; a helper is not. */
const families: Readonly<Record<string, RegExp>> = {
  "src/tasks/all.ts": /^src\/tasks\/[^/]+\/[a-z0-9_]+\.ts$/u,
  "src/notify/all.ts": /^src\/notify\/channels\/[a-z0-9_]+\.ts$/u,
  "src/ingest/all.ts": /^src\/ingest\/(?:sources|protocols)\/[a-z0-9_]+\.ts$/u,
  "src/alerts/all.ts": /^src\/alerts\/rules\/[a-z0-9_]+\.ts$/u,
  "src/parse/all.ts": /^src\/parse\/(?!all\.ts$)[a-z0-9_]+\.ts$/u
}

const strays = (graph: Graph): ReadonlyArray<string> =>
  Object.entries(families).flatMap(([all, member]) => {
    const named = new Set(graph.get(all)?.map(({ target }) => target))
    return [...graph.keys()]
      .filter((file) => member.test(file) && !named.has(file))
      .map((file) => `${file} is not named in ${all}`)
  })

const comments = /^[ \t]*(?:\/\*[\s\S]*?\*\/|\/\/.*$)/gmu
const statements = /^[ \t]*(?:import|export)\s+(type\s+)?(?:[\w$*{}\s,]+?\s+from\s+)?["'](\.[^"']+)["']/gmu
const dynamic = /\bimport\(\s*["'](\.[^"']+)["']\s*\)/gu

/** What a file imports of ours. `import { type A }` counts as a value: its file is loaded. */
const importsOf = (file: string, source: string): ReadonlyArray<Import> => {
  const code = source.replaceAll(comments, "")
  const target = (path: string) => normalize(join(dirname(file), path))
  return [
    ...[...code.matchAll(statements)].map((match) => ({
      target: target(match[2] ?? ""),
      typeOnly: match[1] !== undefined
    })),
    ...[...code.matchAll(dynamic)].map((match) => ({ target: target(match[1] ?? ""), typeOnly: false }))
  ]
}

const filesIn = (folder: string): ReadonlyArray<string> =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.(?:ts|tsx)$/u.test(entry.name))
        .map((entry) => relative(root, join(entry.parentPath, entry.name)))
        .filter((file) => !file.startsWith("web/dist/"))
    : []

const graphOf = (files: ReadonlyArray<string>): Graph =>
  new Map(
    files.map((file) => [
      file,
      importsOf(file, readFileSync(join(root, file), "utf8")).filter(({ target }) => !target.endsWith(".css"))
    ])
  )

describe("the house", () => {
  const graph = graphOf([...filesIn(join(root, "src")), ...filesIn(join(root, "web"))])

  it("is read", () => {
    expect(graph.size).toBeGreaterThan(20)
    expect([...graph.values()].flat().length).toBeGreaterThan(graph.size)
  })

  it("keeps its import table", () => {
    expect(refusals(graph)).toEqual([])
  })

  it("has no cycles", () => {
    expect(cycles(graph)).toEqual([])
  })

  it("names every member of a family in its all.ts", () => {
    expect(strays(graph)).toEqual([])
  })
})

describe("the table can fail", () => {
  const value = (target: string): Import => ({ target, typeOnly: false })
  const type = (target: string): Import => ({ target, typeOnly: true })
  const refused = (file: string, one: Import) => refusals(new Map([[file, [one]]])).length > 0

  it.each([
    ["src/domain/Ids.ts", value("src/jobs/Job.ts")],
    ["src/jobs/Job.ts", type("src/domain/Ids.ts")],
    ["src/streams/Keys.ts", value("src/domain/Ids.ts")],
    ["src/store/Logs.ts", value("src/notify/Channel.ts")],
    ["src/alerts/Rule.ts", value("src/notify/Channel.ts")],
    ["src/tasks/logs/a.ts", value("src/streams/Redis.ts")],
    ["src/tasks/logs/a.ts", value("src/pipeline/stages/store.ts")],
    ["src/http/Server.ts", value("src/actors/Runner.ts")],
    ["src/live/Gateway.ts", value("src/http/Server.ts")],
    ["src/http/Server.ts", value("src/main/Parts.ts")],
    ["src/store/Logs.ts", value("src/Settings.ts")],
    ["src/actors/Runner.ts", value("src/engine.ts")],
    ["src/schedules/Beat.ts", value("src/schedules/table.ts")],
    ["src/elsewhere/A.ts", value("src/domain/Ids.ts")],
    ["web/api.ts", value("src/domain/Ids.ts")],
    ["web/api.ts", type("src/store/Logs.ts")]
  ])("%s refuses %o", (file, one) => {
    expect(refused(file, one)).toBe(true)
  })

  it.each([
    ["src/parse/json.ts", value("src/domain/Level.ts")],
    ["src/tasks/logs/a.ts", value("src/pipeline/Intake.ts")],
    ["src/schedules/table.ts", value("src/tasks/all.ts")],
    ["src/main.ts", value("src/actors/Runner.ts")],
    ["web/api.ts", type("src/domain/Level.ts")]
  ])("%s accepts %o", (file, one) => {
    expect(refused(file, one)).toBe(false)
  })

  it("sees a cycle", () => {
    const ring = (last: Import): Graph =>
      new Map([
        ["a.ts", [value("b.ts")]],
        ["b.ts", [value("c.ts")]],
        ["c.ts", [last]]
      ])
    expect(cycles(ring(value("a.ts")))).toEqual(["a.ts → b.ts → c.ts → a.ts"])
    expect(cycles(ring(type("a.ts")))).toEqual([])
  })

  it("sees a member that its family does not name", () => {
    const family: Graph = new Map([
      ["src/parse/all.ts", [value("src/parse/json.ts")]],
      ["src/parse/json.ts", []],
      ["src/parse/cef.ts", []],
      ["src/parse/Time.ts", []]
    ])
    expect(strays(family)).toEqual(["src/parse/cef.ts is not named in src/parse/all.ts"])
  })

  it("reads every way to import", () => {
    const source = `
      /** import "./not.ts" */
      // import "./nor.ts"
      import { a,
        b } from "./one.ts"
      import type { C } from "../two.ts"
      export * from "./three.ts"
      import "./four.ts"
      const later = () => import("./five.ts")
    `.replaceAll(/^ {6}/gmu, "")
    expect(importsOf("src/x/y.ts", source)).toEqual([
      value("src/x/one.ts"),
      type("src/two.ts"),
      value("src/x/three.ts"),
      value("src/x/four.ts"),
      value("src/x/five.ts")
    ])
  })
})
