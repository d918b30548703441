/**
 * From a line's arrival to its alert at a WebSocket client, under a steady 5,000 lines per second and 100 rules: of these, a fifth
 * counts the load itself by user, the others wait for probes, of which each makes an alert of its own. Against the raw limit in the same run: a bare node:http server that hands a posted line straight to a
 * WebSocket client, with no rule, no Redis and no other load.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { setTimeout as pause } from "node:timers/promises"
import { WebSocket } from "ws"
import { type App, ask, makeRoom, startApp } from "../test/support/app.ts"
import { openSocket } from "../test/support/socket.ts"
import { type Bench, figure } from "./Bench.ts"

const rules = 100
/** Rules that count the load. */
const busy = 20
const probes = 1_000
const linesPerSecond = 5_000
const linesPerRequest = 100

const quantile = (values: ReadonlyArray<number>, q: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0
}

/** Sends the background load until told to stop; resolves with how many lines that were. */
const load = (app: App) => {
  const body = Array.from(
    { length: linesPerRequest },
    (_, i) => `level=info service=load msg="request ${i} done" user=${i}`
  ).join("\n")
  const stopping = new AbortController()
  let sent = 0
  const done = (async () => {
    const start = performance.now()
    const open = new Set<Promise<unknown>>()
    while (!stopping.signal.aborted) {
      const due = ((performance.now() - start) / 1_000) * linesPerSecond
      while (sent < due && open.size < 50) {
        sent += linesPerRequest
        const request = ask(app, "POST", "/v1/logs", body, { "x-loglytics-project": "bench" }).finally(() =>
          open.delete(request)
        )
        open.add(request)
      }
      await pause(5)
    }
    await Promise.all(open)
    return sent / ((performance.now() - start) / 1_000)
  })()
  return {
    stop: () => {
      stopping.abort()
      return done
    }
  }
}

const ours = async (log: (line: string) => void) => {
  const app = await startApp(await makeRoom())
  try {
    await ask(app, "POST", "/v1/projects", { id: "bench", name: "bench" })
    for (let i = 0; i < rules; i++) {
      const probe = { query: `probe-${i}-end`, threshold: 1, groupBy: ["round"] }
      const count = { query: `service:load request ${i} done`, threshold: 1_000_000, groupBy: ["user"] }
      await ask(app, "POST", "/v1/rules?project=bench", {
        name: `probe ${i}`,
        type: "threshold",
        window: "1 minute",
        ...(i < busy ? count : probe)
      })
    }
    const socket = await openSocket(app, app.key, "?topics=alerts&project=bench")
    await socket.next("a snapshot", ({ type }) => type === "snapshot")
    const background = load(app)
    await pause(1_000)
    const times: Array<number> = []
    for (let i = 0; i < probes; i++) {
      const rule = busy + (i % (rules - busy))
      const round = `r${i}`
      const start = performance.now()
      const line = `level=error msg="probe-${rule}-end" round=${round}`
      void ask(app, "POST", "/v1/logs", line, { "x-loglytics-project": "bench" })
      times.push((await socket.when((m) => JSON.stringify(m.data ?? []).includes(`{"round":"${round}"}`))) - start)
      await pause(20)
    }
    const rate = await background.stop()
    log(`${Math.round(rate)} lines/s beside ${probes} probes of ${rules} rules`)
    socket.close()
    return times
  } finally {
    await app.stop()
    await app.room.clear()
  }
}

const bareServer = `
const { WebSocketServer } = require("ws")
const http = require("node:http")
const server = http.createServer(async (request, response) => {
  let body = ""
  for await (const chunk of request) body += chunk
  for (const client of sockets.clients) client.send(body)
  response.end()
})
const sockets = new WebSocketServer({ server })
server.listen(0, "127.0.0.1", () => console.log(server.address().port))`

const bare = async (): Promise<ReadonlyArray<number>> => {
  const child = spawn(process.execPath, ["-e", bareServer], { stdio: ["ignore", "pipe", "inherit"] })
  try {
    const [port] = (await once(child.stdout, "data")) as [Buffer]
    const address = `127.0.0.1:${String(port).trim()}`
    const socket = new WebSocket(`ws://${address}`)
    await once(socket, "open")
    const times: Array<number> = []
    for (let i = 0; i < probes; i++) {
      const start = performance.now()
      const heard = once(socket, "message")
      void fetch(`http://${address}`, { method: "POST", body: `level=error msg="probe-${i}-end"` })
      await heard
      times.push(performance.now() - start)
    }
    socket.close()
    return times
  } finally {
    child.kill()
  }
}

export const alerts: Bench = {
  name: "alerts",
  about:
    "ms from a line's arrival to its alert at a WebSocket client, under 5,000 lines/s and 100 rules, against node:http + ws",
  peers: ["node-http-ws"],
  run: async (options) => {
    const mine = await ours(options.log)
    const raw = await bare()
    return [0.5, 0.99].map((q) =>
      figure(
        "alerts",
        `line to alert p${q * 100}`,
        "ms",
        quantile(mine, q),
        { name: "node-http-ws", value: quantile(raw, q) },
        true
      )
    )
  }
}
