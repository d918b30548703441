/** What the servers themselves tell of their work: CPU, memory, time in scripts. The Redis is the bench's own. */
import { Redis } from "ioredis"
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { setPriority } from "node:os"
import postgres from "postgres"

const numberOf = (info: string, field: string): number =>
  Number(new RegExp(`^${field}:([\\d.]+)`, "mu").exec(info)?.[1] ?? Number.NaN)

/** Time that scripts held Redis, in µs. */
export interface ScriptTimes {
  readonly calls: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export class Server {
  private readonly client: Redis
  private readonly databaseUrl: string
  private postmaster: number | undefined

  constructor(redisUrl: string, databaseUrl: string) {
    this.client = new Redis(redisUrl)
    this.databaseUrl = databaseUrl
  }

  /** CPU that Redis has used, in µs, and Postgres where it runs on this machine. */
  async cpuUs(): Promise<number> {
    const info = await this.client.info("cpu")
    return (numberOf(info, "used_cpu_sys") + numberOf(info, "used_cpu_user")) * 1e6 + (await this.postgresCpuUs())
  }

  /** Bytes of data and keys, without buffers of clients and of the append-only file. */
  async bytes(): Promise<number> {
    const info = await this.client.info("memory")
    const buffers = ["mem_clients_normal", "mem_clients_slaves", "mem_aof_buffer", "used_memory_scripts"]
    return buffers.reduce((sum, field) => sum - (numberOf(info, field) || 0), numberOf(info, "used_memory"))
  }

  async clear(): Promise<void> {
    await this.client.flushall()
  }

  /**
   * Begins to count anew. The server goes before all other processes where we may say so (in real time where `chrt` is there;
   * the least of nice values still gives others slices of 3 ms): it keeps time by the clock, and a script that waits for a
   * processor would be counted with its wait.
   */
  async resetScriptTimes(): Promise<void> {
    const pid = numberOf(await this.client.info("server"), "process_id")
    try {
      setPriority(pid, -20)
      execFileSync("chrt", ["--rr", "--pid", "5", String(pid)], { stdio: "ignore" })
    } catch {
      // Not root, not this machine, or no chrt.
    }
    await this.client.config("SET", "latency-tracking-info-percentiles", "50 99 99.9 100")
    await this.client.config("SET", "slowlog-log-slower-than", "1000")
    await this.client.config("SET", "slowlog-max-len", "1000")
    await this.client.config("RESETSTAT")
    await this.client.slowlog("RESET")
  }

  /** Runs a script of fixed work over and over beside the others: what its time varies by is the machine's doing. */
  startReference(): () => void {
    const timer = setInterval(() => {
      this.client.call("EVAL_RO", "local n = 0 for i = 1, 20000 do n = n + i end return n", 0).catch(() => {})
    }, 5)
    return () => clearInterval(timer)
  }

  /** Times of `evalsha`, or of the reference, since the last reset. */
  async scriptTimes(command: "evalsha" | "eval_ro" = "evalsha"): Promise<ScriptTimes> {
    const times = await this.client.info("latencystats")
    const stats = await this.client.info("commandstats")
    const of = (name: string) =>
      Number(new RegExp(`^latency_percentiles_usec_${command}:.*\\b${name}=([\\d.]+)`, "mu").exec(times)?.[1] ?? 0)
    const calls = Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, "mu").exec(stats)?.[1] ?? 0)
    return { calls, p50: of("p50"), p99: of("p99"), p999: of("p99.9"), max: of("p100") }
  }

  /** The longest run of each script that took over a millisecond, longest first, in µs. */
  async slowScripts(): Promise<ReadonlyArray<readonly [digest: string, us: number]>> {
    const log = (await this.client.slowlog("GET", 1_000)) as ReadonlyArray<
      [number, number, number, ReadonlyArray<string>]
    >
    const worst = new Map<string, number>()
    for (const [, , us, [command, digest]] of log) {
      if (command?.toLowerCase() !== "evalsha" || digest === undefined) continue
      worst.set(digest, Math.max(us, worst.get(digest) ?? 0))
    }
    return [...worst].toSorted((a, b) => b[1] - a[1])
  }

  close(): void {
    this.client.disconnect()
  }

  /** Sum of the postmaster and its children, from /proc; 0 where there is none to look at. */
  private async postgresCpuUs(): Promise<number> {
    if (this.postmaster === 0) return 0
    if (this.postmaster === undefined) this.postmaster = await findPostmaster(this.databaseUrl)
    return this.postmaster === 0 ? 0 : treeCpuUs(this.postmaster)
  }
}

const findPostmaster = async (url: string): Promise<number> => {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    const [row] = await sql`select pg_backend_pid() as pid`
    return statOf(Number(row?.["pid"]))?.parent ?? 0
  } catch {
    return 0
  } finally {
    await sql.end()
  }
}

/** ticks of 10 ms; `gone`: of children that have ended. */
const statOf = (pid: number): { parent: number; ticks: number; gone: number } | undefined => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /u, "")
      .split(" ")
      .map(Number)
    const at = (i: number) => fields[i] ?? 0
    return { parent: at(1), ticks: at(11) + at(12), gone: at(13) + at(14) }
  } catch {
    return undefined
  }
}

/** CPU of a process and all below it, in µs; 0 where /proc does not tell. */
export const treeCpuUs = (pid: number): number => {
  const root = statOf(pid)
  if (root === undefined) return 0
  let ticks = root.ticks + root.gone
  const known = new Set([pid])
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .map(Number)
    .toSorted((a, b) => a - b)
  for (const child of all) {
    const stat = statOf(child)
    if (stat === undefined || !known.has(stat.parent)) continue
    known.add(child)
    ticks += stat.ticks + stat.gone
  }
  return ticks * 10_000
}
