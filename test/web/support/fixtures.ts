/** Made-up but plausible data for the mock server, the same for the same seed: lines, queues, jobs, alerts. */
import type { StoredEvent } from "../../../src/domain/LogEvent.ts"

/** Numbers from 0 to 1, the same sequence for the same seed (mulberry32). */
export const dice = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

type Level = StoredEvent["level"]
type Template = readonly [Level, string, (random: () => number) => readonly [string, StoredEvent["attributes"]]]

const pick = <T>(from: ReadonlyArray<T>, random: () => number): T => from[Math.floor(random() * from.length)]!
const paths = ["/v1/orders", "/v1/carts/8812", "/login", "/v1/search?q=shoes", "/health"] as const
const int = (max: number, random: () => number): number => Math.floor(random() * max)

const templates: ReadonlyArray<readonly [weight: number, template: Template]> = [
  [
    46,
    [
      "info",
      "api",
      (r) => {
        const path = pick(paths, r)
        const ms = 3 + int(140, r)
        return [
          `GET ${path} 200 ${ms}ms`,
          { http: { method: "GET", path, status: 200 }, duration_ms: ms, user_id: 1000 + int(900, r) }
        ]
      }
    ]
  ],
  [
    16,
    [
      "info",
      "checkout",
      (r) => [
        `order ${90_000 + int(9_999, r)} placed, ${1 + int(5, r)} items`,
        { currency: "EUR", total: int(30_000, r) / 100 }
      ]
    ]
  ],
  [
    12,
    ["debug", "cache", (r) => [`miss key=session:${int(99_999, r).toString(16)} shard=${int(8, r)}`, { hit: false }]]
  ],
  [8, ["trace", "scheduler", (r) => [`tick ${int(1_000_000, r)}`, {}]]],
  [
    7,
    [
      "warn",
      "db",
      (r) => [
        `slow query ${400 + int(2_000, r)}ms: SELECT * FROM orders WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 50`,
        { pool: "primary", rows: int(50, r) }
      ]
    ]
  ],
  [4, ["unknown", "", (r) => [`-- rotated segment ${int(500, r)} --`, {}]]],
  [
    5,
    [
      "error",
      "payments",
      (r) => [
        `charge failed: upstream timeout after ${3_000 + int(2_000, r)}ms (card_${int(9_999, r)})`,
        { provider: "acme-pay", retryable: true, error: { type: "TimeoutError", code: "ETIMEDOUT" } }
      ]
    ]
  ],
  [0.6, ["fatal", "worker-7", () => ["out of memory: heap limit 512 MB reached, exiting", { pid: 4112, heap_mb: 512 }]]]
]
const weights = templates.reduce((sum, [weight]) => sum + weight, 0)

/** Makes event number `n` at time `at`. */
export const eventMaker = (seed: number) => {
  const random = dice(seed)
  return (n: number, project: string, at: number): StoredEvent => {
    let left = random() * weights
    const found = templates.find(([weight]) => (left -= weight) < 0) ?? templates[0]!
    const [level, service, make] = found[1]
    const [message, attributes] = make(random)
    const time = new Date(at).toISOString()
    const event = { id: String(n), project, time, observedAt: time, level, service, message, attributes } as StoredEvent
    return random() < 0.3
      ? {
          ...event,
          traceId: int(2 ** 31, random)
            .toString(16)
            .padStart(32, "0")
        }
      : event
  }
}

const ago = (now: number, ms: number): string => new Date(now - ms).toISOString()

export const queues = [
  { name: "critical", backlog: 0, inFlight: 2, delayed: 0, dead: 0, oldestAgeMs: 0, paused: false },
  { name: "default", backlog: 37, inFlight: 8, delayed: 12, dead: 0, oldestAgeMs: 4_200, paused: false },
  { name: "low", backlog: 1_284, inFlight: 2, delayed: 3, dead: 5, oldestAgeMs: 97_000, paused: true }
]

const tasks = [
  "process_log_file",
  "calculate_analytics",
  "check_alert_conditions",
  "send_alerts",
  "send_in_app_notification",
  "poll_all_connections",
  "health_check"
] as const
const states = ["done", "done", "done", "running", "done", "retrying", "done", "dead", "done", "scheduled"] as const

export const jobs = (now: number) =>
  Array.from({ length: 24 }, (_, n) => {
    const state = states[n % states.length]!
    const begun = state !== "scheduled"
    const over = state === "done" || state === "dead"
    const failed = state === "dead" || state === "retrying"
    return {
      id: `job_${(7_000 - n).toString(36)}`,
      task: tasks[(n * 5) % tasks.length]!,
      queue: ["default", "critical", "low"][n % 3]!,
      state,
      attempt: state === "dead" ? 5 : state === "retrying" ? 2 : 1,
      enqueuedAt: ago(now, 900 + n * 9_000),
      startedAt: begun ? ago(now, 700 + n * 9_000) : null,
      finishedAt: over ? ago(now, 400 + n * 9_000) : null,
      durationMs: over ? [8, 341, 1_240, 27, 90_500][n % 5]! : null,
      error: failed
        ? "LogFileUnreadable: expected a file of at most 1 GiB, got <b>2.3 GiB</b>\n  at process_log_file (attempt 5 of 5)"
        : null
    }
  })

export const workers = (now: number) => [
  {
    id: "worker-1",
    host: "app-1",
    pid: 4_100,
    version: "0.1.0",
    concurrency: 16,
    running: tasks.slice(0, 5).map((task, n) => ({ jobId: `job_r${n}`, task, startedAt: ago(now, 1_000 * n) })),
    heartbeatAt: ago(now, 800)
  }
]

export const alerts = (project: string, now: number) => [
  {
    id: "alert-1",
    project,
    ruleId: "rule-1",
    ruleName: "Payment timeouts",
    state: "firing",
    value: 42,
    threshold: 5,
    reason: "42 lines matched service:payments level:>=error within 1 minute; at least 5 fire",
    samples: [
      "charge failed: upstream timeout after 4210ms (card_881)",
      "<img src=x onerror=alert(1)> charge failed",
      "charge failed: upstream timeout after 3001ms (card_17)"
    ],
    startedAt: ago(now, 245_000),
    firedAt: ago(now, 185_000),
    resolvedAt: null,
    updatedAt: ago(now, 4_000)
  },
  {
    id: "alert-2",
    project,
    ruleId: "rule-2",
    ruleName: "Slow queries on the primary",
    state: "pending",
    value: 130,
    threshold: 100,
    reason: "130 lines matched; fires when this holds for 5 minutes",
    samples: ["slow query 2210ms: SELECT * FROM orders WHERE customer_id = $1"],
    startedAt: ago(now, 61_000),
    firedAt: null,
    resolvedAt: null,
    updatedAt: ago(now, 9_000)
  }
]

export const notifications = (project: string, now: number) => [
  {
    id: "n-3",
    project,
    alertId: "alert-1",
    title: "Payment timeouts is firing",
    body: "42 lines in 1 minute, 5 fire. First: charge failed: upstream timeout after 4210ms",
    severity: "critical",
    createdAt: ago(now, 185_000),
    readAt: null as string | null
  },
  {
    id: "n-2",
    project,
    alertId: "alert-0",
    title: "Login errors is resolved",
    body: "0 lines in 1 minute, after 12 minutes.",
    severity: "info",
    createdAt: ago(now, 4_100_000),
    readAt: null as string | null
  },
  {
    id: "n-1",
    project,
    alertId: "alert-0",
    title: "Login errors is firing",
    body: "9 lines in 1 minute, 5 fire.",
    severity: "warning",
    createdAt: ago(now, 4_820_000),
    readAt: ago(now, 4_000_000) as string | null
  }
]

export const rules = (project: string, now: number) => [
  {
    id: "rule-1",
    project,
    name: "Payment timeouts",
    type: "threshold",
    query: "service:payments level:>=error",
    window: "1 minute",
    threshold: 5,
    for: "0 seconds",
    enabled: true,
    createdAt: ago(now, 90_000_000)
  },
  {
    id: "rule-2",
    project,
    name: "Slow queries on the primary",
    type: "threshold",
    query: "slow query",
    window: "1 minute",
    threshold: 100,
    for: "5 minutes",
    enabled: true,
    createdAt: ago(now, 90_000_000)
  }
]
