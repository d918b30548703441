/** Starts a worker of `threads/process.child.ts` and hears what it says. */
import { Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { redisUrl } from "./engine.ts"
import type { Given } from "./threads/process.child.ts"

const file = fileURLToPath(new URL("./threads/process.child.ts", import.meta.url))

export interface Child {
  readonly process: ChildProcess
  /** Lines on standard error so far, with when they came (epoch ms). */
  readonly errors: Array<{ readonly at: number; readonly line: string }>
  /** How it ended. */
  readonly ended: Promise<number | NodeJS.Signals | null>
}

/** A worker process that is ready, killed at the end of the scope. */
export const child = (given: Given) =>
  Effect.acquireRelease(
    Effect.callback<Child>((resume) => {
      const started = spawn(process.execPath, ["--no-warnings", file], {
        env: { ...process.env, WORKER: JSON.stringify(given), REDIS_URL: redisUrl },
        stdio: ["ignore", "pipe", "pipe"]
      })
      const errors: Child["errors"] = []
      started.stderr.setEncoding("utf8").on("data", (text: string) => {
        for (const line of text.split("\n")) if (line !== "") errors.push({ at: Date.now(), line })
      })
      const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
        started.once("exit", (code, signal) => {
          resolve(code ?? signal)
          resume(Effect.die(new Error(`the worker ended with ${code ?? signal}: ${JSON.stringify(errors)}`)))
        })
      })
      let said = ""
      started.stdout.setEncoding("utf8").on("data", (text: string) => {
        said += text
        if (said.includes("ready\n")) resume(Effect.succeed({ process: started, errors, ended }))
      })
    }),
    (c) => Effect.sync(() => c.process.kill("SIGKILL"))
  )
