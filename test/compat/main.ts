/**
 * `npm run compat -- [SERVER…] [TEST…]`: the engine's tests on other servers, one after the other: `redis-8.0`, `redis-8.6`,
 * `valkey-8.1`, `valkey-9.1` from newer suites of Debian, and `cluster`, six nodes of the usual server. Without names: all.
 * Paths and other arguments are handed to Vitest instead of the usual tests. Ends with a table; exit code 1 where a test has
 * failed or a server could not be had.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { checkout } from "../../scripts/launch/places.mjs"
import { nodeEnv } from "../../scripts/launch/node.mjs"
import { builds, get, versionOf } from "./builds.ts"

const engine = ["streams", "actors", "schedules", "outbox", "scenarios", "live"].map((name) => `test/${name}`)
/** They break the one connection to a server; test/cluster kills nodes instead. */
const oneWire = ["test/scenarios/outages", "test/streams/lost_answers", "test/actors/outage"].flatMap((name) => [
  "--exclude",
  `${name}.test.ts`
])
/** They start servers of their own, with the program that is first on PATH. */
const ownServers = ["test/cluster", "test/chaos/"]

interface Row {
  readonly server: string
  readonly result: string
  readonly ok: boolean
}

interface Report {
  readonly numPassedTests: number
  readonly numPendingTests: number
  readonly numTotalTests: number
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly status: string
    readonly assertionResults: ReadonlyArray<{ readonly status: string; readonly fullName: string }>
  }>
}

const read = (file: string): Report | undefined => {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report
  } catch {
    return undefined
  }
}

/** Runs Vitest and says what came of it. */
const test = async (server: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv): Promise<Row> => {
  const folder = mkdtempSync(join(tmpdir(), "loglytics-compat-"))
  const report = join(folder, "report.json")
  const from = Date.now()
  const child = spawn(
    process.execPath,
    [join(checkout, "node_modules/vitest/vitest.mjs"), "run", ...args].concat(
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`
    ),
    { cwd: checkout, stdio: "inherit", env: nodeEnv(process.execPath, { ...process.env, ...env }) }
  )
  const code = await new Promise<number>((resolve) => child.once("close", (status) => resolve(status ?? 1)))
  const found = read(report)
  rmSync(folder, { recursive: true })
  const seconds = Math.round((Date.now() - from) / 1_000)
  if (found === undefined) return { server, result: `no report, exit code ${code}`, ok: false }
  const failed = found.testResults.flatMap((file) => [
    ...file.assertionResults.filter((one) => one.status === "failed").map((one) => one.fullName),
    // A file that could not be loaded, or whose hooks failed.
    ...(file.status === "failed" && file.assertionResults.every((one) => one.status !== "failed") ? [file.name] : [])
  ])
  const skipped = found.numPendingTests === 0 ? "" : `, ${found.numPendingTests} skipped`
  const result = `${found.numPassedTests} of ${found.numTotalTests - found.numPendingTests}${skipped}, in ${seconds} s`
  return { server, result: [result, ...failed].join("; failed: "), ok: code === 0 }
}

const onCluster = async (args: ReadonlyArray<string>): Promise<Row> => {
  const { binary, clusterOfSix } = await import("../support/servers.ts")
  if (binary.container)
    return { server: "cluster", result: "expected a redis-server program, got a container", ok: false }
  const servers = await clusterOfSix()
  try {
    const version = (await versionOf(binary.command, binary.env)) ?? binary.from
    const tests = args.length > 0 ? args : [...engine, ...oneWire]
    return await test(`Cluster of six, ${version}`, tests, { REDIS_URL: servers.url })
  } finally {
    await servers.stop()
  }
}

const onBuild = async (name: string, args: ReadonlyArray<string>): Promise<Row> => {
  const got = await get(name)
  if (!got.ok) return { server: name, result: `not to be had: ${got.why}`, ok: false }
  const path = [got.folder, process.env["PATH"] ?? ""].join(delimiter)
  // Without REDIS_URL the tests start the first redis-server on PATH.
  return test(got.version, args.length > 0 ? args : [...engine, ...ownServers], { PATH: path, REDIS_URL: undefined })
}

const all = [...Object.keys(builds), "cluster"]
const given = process.argv.slice(2)
const named = given.filter((arg) => all.includes(arg))
const rest = given.filter((arg) => !all.includes(arg))
const rows: Array<Row> = []
for (const name of named.length > 0 ? named : all) {
  console.log(`\n── ${name}`)
  rows.push(await (name === "cluster" ? onCluster(rest) : onBuild(name, rest)))
}
console.log("\n| server | passed |\n|---|---|")
for (const { result, server } of rows) console.log(`| ${server} | ${result} |`)
process.exit(rows.every((row) => row.ok) ? 0 : 1)
