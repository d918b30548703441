/**
 * Programs of Debian's packages as real clients of the tests: on PATH, or unpacked into the cache folder, run as a user's
 * process. Where none can be had the reason is told, so that a test can skip and say why.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { libraryFolders, osRelease, unpackDebian } from "../../scripts/launch/debian.mjs"
import { withLock } from "../../scripts/launch/lock.mjs"
import { cacheFolder } from "../../scripts/launch/places.mjs"

export interface Program {
  readonly ok: true
  readonly command: string
  /** Folder that `usr` lies in; "" for a program of the host. */
  readonly root: string
  readonly env: NodeJS.ProcessEnv
}

export interface Missing {
  readonly ok: false
  readonly why: string
}

const onPath = (name: string): string | undefined => {
  const found = spawnSync("sh", ["-c", `PATH="$PATH:/usr/sbin:/sbin" command -v "$0"`, name], { encoding: "utf8" })
  return found.status === 0 ? found.stdout.trim() : undefined
}

/** A program of a package: `program("kcat", "usr/bin/kcat")`; `more` are packages that it needs beside its own needs. */
export const program = async (
  packageName: string,
  path: string,
  more: ReadonlyArray<string> = []
): Promise<Program | Missing> => {
  const host = onPath(path.split("/").at(-1) ?? path)
  if (host !== undefined) return { ok: true, command: host, root: "", env: process.env }
  if (process.platform !== "linux") return { ok: false, why: `${packageName} comes from Debian's packages` }
  const home = join(cacheFolder(process.env), packageName, `${osRelease()}-${process.arch}`)
  const root = join(home, "root")
  const command = join(root, path)
  const problem = existsSync(command)
    ? undefined
    : await withLock(`${home}.lock`, async () =>
        existsSync(command) ? undefined : await unpackDebian(home, root, [packageName, ...more])
      ).catch(String)
  if (!existsSync(command)) return { ok: false, why: problem ?? `${packageName} has no ${path}` }
  const libraries = [...libraryFolders(root), process.env["LD_LIBRARY_PATH"] ?? ""].filter((folder) => folder !== "")
  return { ok: true, command, root, env: { ...process.env, LD_LIBRARY_PATH: libraries.join(":") } }
}

export interface Running {
  readonly process: ChildProcess
  /** Both outputs so far. */
  readonly output: () => string
  readonly stop: () => Promise<void>
}

/** Starts it; whoever starts it stops it. */
export const run = (of: Program, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}): Running => {
  const child = spawn(of.command, [...args], { env: { ...of.env, ...env }, stdio: ["pipe", "pipe", "pipe"] })
  let text = ""
  const hear = (chunk: Buffer): void => void (text = (text + String(chunk)).slice(-100_000))
  child.stdout.on("data", hear)
  child.stderr.on("data", hear)
  child.stdin.on("error", () => {})
  const ended = new Promise<void>((done) => {
    child.once("exit", () => done())
    child.once("error", (error) => {
      hear(Buffer.from(String(error)))
      done()
    })
  })
  return {
    process: child,
    output: () => text,
    stop: () => {
      child.kill("SIGKILL")
      return ended
    }
  }
}
