/** Log lines as services write them, made by number: JSON, logfmt, access log, plain and stack-free Java in turn, about 190 bytes. */

const words = ["order", "payment", "session", "cart", "invoice", "shipment", "refund", "search"]
const levels = ["info", "info", "info", "info", "debug", "info", "warn", "info", "info", "error"]
const hex = (n: number, digits: number): string => (n >>> 0).toString(16).padStart(8, "0").repeat(4).slice(0, digits)
/** Spreads numbers, so that neighbours have nothing in common. */
const mix = (n: number): number => Math.imul(n ^ 0x9e3779b9, 0x85ebca6b) >>> 0

const shapes: ReadonlyArray<(n: number, at: Date, level: string, word: string) => string> = [
  (n, at, level, word) =>
    JSON.stringify({
      time: at.toISOString(),
      level,
      service: "api",
      message: `${word} ${n} of user ${mix(n) % 90_000} is done after ${mix(n) % 900} ms`,
      "http.response.status_code": level === "error" ? 503 : 200,
      user: { id: mix(n) % 90_000 },
      trace_id: hex(mix(n), 32)
    }),
  (n, at, level, word) =>
    `time=${at.toISOString()} level=${level} service=worker msg="${word} job ${hex(mix(n), 12)} ${level === "error" ? "failed: connection reset by 10.1.2.3:5432, will retry" : "finished"}" attempt=${(n % 3) + 1} duration_ms=${mix(n) % 5_000} queue=default`,
  (n, at, level, word) =>
    `203.0.113.${n % 250} - - [${at.toUTCString().slice(5, 16).replaceAll(" ", "/")}:${at.toISOString().slice(11, 19)} +0000] "GET /v1/${word}s/${mix(n) % 100_000} HTTP/1.1" ${level === "error" ? 502 : 200} ${mix(n) % 50_000} "https://shop.example.com/${word}" "Mozilla/5.0 (X11; Linux x86_64) Firefox/131.0"`,
  (n, at, level, word) =>
    `${at.toISOString().slice(0, 19).replace("T", " ")},${at.toISOString().slice(20, 23)} ${level.toUpperCase()} [pool-${n % 8}] com.example.shop.${word}.Service: ${level === "error" ? `timeout after ${mix(n) % 30_000} ms while calling inventory` : `processed ${word} ${mix(n)} in ${mix(n) % 400} ms, ${n % 17} items`}`
]

/** Line number `n`, written at `now` (epoch ms). */
export const lineOf = (n: number, now: number): string => {
  const level = levels[mix(n) % levels.length] ?? "info"
  const word = words[mix(n + 1) % words.length] ?? "order"
  return (shapes[n % shapes.length] ?? shapes[0]!)(n, new Date(now), level, word)
}
