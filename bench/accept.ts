/**
 * Lines accepted per second by one process that is only a door (`--roles serve`): POST /v1/logs of NDJSON, every line checked
 * to be JSON, until all are in Redis. Against the bare loop on the same machine in the same run: a node:http server that
 * splits, parses and XADDs the same bodies in batches as large, with no key, limit, idempotency or backlog to look after.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createRequire } from "node:module"
import { ask, makeRoom, startApp } from "../test/support/app.ts"
import { removeKeys } from "../test/support/clean.ts"
import { type Bench, type BenchOptions, figure, median } from "./Bench.ts"

const bodyLines = 5_000
const bodies = 60
const clients = 4
const rounds = 5

/** A body of log lines as a JSON logger writes them, about 190 bytes each. */
const body = (from: number): string => {
  const at = Date.UTC(2026, 0, 1)
  return Array.from({ length: bodyLines }, (_, i) =>
    JSON.stringify({
      time: new Date(at + (from + i) * 10).toISOString(),
      level: i % 10 === 0 ? "error" : "info",
      service: "api",
      message: `request ${from + i} to /v1/orders/${(from + i) % 977} took ${i % 900} ms`,
      user: `u-${(from + i) % 5_000}`,
      route: "/v1/orders",
      status: 200
    })
  ).join("\n")
}

const loop = `
const http = require("node:http")
const { Redis } = require(${JSON.stringify(createRequire(import.meta.url).resolve("ioredis"))})
const redis = new Redis(process.env.REDIS_URL)
http.createServer(async (request, response) => {
  let n = 0, rest = "", batch = []
  const send = () => { const lines = batch; batch = []; return redis.xadd("bench:loop", "*", "lines", lines.join("\\n")) }
  const waiting = []
  const take = (line) => { JSON.parse(line); n++; if (batch.push(line) === 500) waiting.push(send()) }
  request.setEncoding("utf8")
  for await (const chunk of request) { const parts = (rest + chunk).split("\\n"); rest = parts.pop(); for (const line of parts) take(line) }
  if (rest) take(rest)
  if (batch.length > 0) waiting.push(send())
  await Promise.all(waiting)
  response.end(JSON.stringify({ accepted: n }))
}).listen(0, "127.0.0.1", function () { console.log(this.address().port) })`

/** Sends every body once, a few at a time; lines per second. */
const sendAll = async (send: (text: string) => Promise<number>, texts: ReadonlyArray<string>): Promise<number> => {
  const start = performance.now()
  let next = 0
  let accepted = 0
  const client = async () => {
    for (let text = texts[next++]; text !== undefined; text = texts[next++]) {
      const taken = await send(text)
      accepted += taken
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  if (accepted !== texts.length * bodyLines) throw new Error(`expected all lines to be accepted, got ${accepted}`)
  return accepted / ((performance.now() - start) / 1_000)
}

const startLoop = async (redisUrl: string) => {
  const child = spawn(process.execPath, ["-e", loop], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, REDIS_URL: redisUrl }
  })
  const [port] = (await once(child.stdout, "data")) as [Buffer]
  const url = `http://127.0.0.1:${String(port).trim()}`
  const send = async (text: string) =>
    ((await (await fetch(url, { method: "POST", body: text })).json()) as { accepted: number }).accepted
  return { send, stop: () => child.kill() }
}

const startOurs = async () => {
  const room = await makeRoom()
  const app = await startApp(room, { roles: "serve", env: { LOGLYTICS_LOG_BACKLOG_MB: "8192" } })
  const headers = { "content-type": "application/x-ndjson" }
  const send = async (text: string) =>
    (await ask<{ accepted: number }>(app, "POST", "/v1/logs", text, headers)).body.accepted
  return {
    send,
    empty: () => removeKeys(process.env["REDIS_URL"] ?? "", `${room.namespace}:{logs:*`),
    stop: async () => {
      await app.stop()
      await room.clear()
    }
  }
}

const run = async (options: BenchOptions) => {
  const texts = Array.from({ length: bodies }, (_, i) => body(i * bodyLines))
  const ours = await startOurs()
  const bare = await startLoop(options.redisUrl)
  try {
    const rates = { ours: [] as Array<number>, bare: [] as Array<number> }
    // The first round warms both up.
    for (let round = 0; round <= rounds; round++) {
      const mine = await sendAll(ours.send, texts)
      await ours.empty()
      const theirs = await sendAll(bare.send, texts)
      await removeKeys(options.redisUrl, "bench:loop")
      options.log(`round ${round}: ${Math.round(mine)} lines/s, bare loop ${Math.round(theirs)}`)
      if (round === 0) continue
      rates.ours.push(mine)
      rates.bare.push(theirs)
    }
    return [
      figure("accept", "lines accepted", "lines/s", median(rates.ours), { name: "loop", value: median(rates.bare) })
    ]
  } finally {
    bare.stop()
    await ours.stop()
  }
}

export const accept: Bench = {
  name: "accept",
  about: `${(bodies * bodyLines).toLocaleString("en")} NDJSON lines by HTTP to a process that is only a door, against a bare loop of split, JSON.parse and XADD`,
  peers: ["loop"],
  run
}
