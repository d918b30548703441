/**
 * The parent's end of a contestant's process: asks, and hears what the process tells unasked. Promises that a request to a
 * process that has gone fails instead of hanging.
 */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Operations } from "./contestant.ts"

export interface Told {
  readonly what: "ready" | "settled" | "started" | "ended"
  readonly n: number
  readonly at: number
  readonly cpuUs: number
}
type Answer = { readonly id: number; readonly value?: unknown; readonly error?: string }

export class Host {
  readonly peer: string
  readonly child: ChildProcess
  private readonly open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  private readonly ears = new Set<(told: Told) => void>()
  private last = 0

  private constructor(peer: string, child: ChildProcess) {
    this.peer = peer
    this.child = child
    child.on("message", (message: Answer | Told) => {
      if ("what" in message) {
        for (const ear of this.ears) ear(message)
        return
      }
      const asked = this.open.get(message.id)
      this.open.delete(message.id)
      if (message.error === undefined) asked?.resolve(message.value)
      else asked?.reject(new Error(`${peer}: ${message.error}`))
    })
    child.on("exit", (code, signal) => {
      for (const { reject } of this.open.values()) reject(new Error(`${peer}'s process ended (${signal ?? code})`))
      this.open.clear()
    })
  }

  static async start(peer: string, execArgv: ReadonlyArray<string> = []): Promise<Host> {
    const file = fileURLToPath(new URL("contestant.ts", import.meta.url))
    const child = fork(file, [peer], {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      execArgv: ["--no-warnings", ...execArgv]
    })
    const host = new Host(peer, child)
    await new Promise<void>((resolve, reject) => {
      const off = host.hear(({ what }) => {
        if (what !== "ready") return
        off()
        resolve()
      })
      child.once("exit", (code) => reject(new Error(`${peer}'s process ended (${code}) before it was ready`)))
    })
    return host
  }

  ask<Op extends keyof Operations>(
    op: Op,
    ...[argument]: Parameters<Operations[Op]>
  ): Promise<Awaited<ReturnType<Operations[Op]>>> {
    const id = ++this.last
    return new Promise((resolve, reject) => {
      if (!this.child.connected) return reject(new Error(`${this.peer}'s process has gone`))
      this.open.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.child.send({ id, op, argument })
    })
  }

  /** Calls back for everything that is told; returns how to stop. */
  hear(ear: (told: Told) => void): () => void {
    this.ears.add(ear)
    return () => this.ears.delete(ear)
  }

  stop(): void {
    if (this.child.connected) this.child.disconnect()
    setTimeout(() => this.child.kill("SIGKILL"), 2_000).unref()
  }

  kill(): void {
    this.child.kill("SIGKILL")
  }
}
