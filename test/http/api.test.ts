import { gzipSync } from "node:zlib"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { StoredEvent } from "../../src/domain/LogEvent.ts"
import { type App, ask, makeRoom, startApp } from "../support/app.ts"
import { eventually } from "../support/eventually.ts"

let app: App
beforeAll(async () => {
  app = await startApp(await makeRoom(), { env: { LOGLYTICS_BODY_MAX_MB: "1" } })
})
afterAll(async () => {
  await app.stop()
  await app.room.clear()
})

interface Accepted {
  readonly accepted: number
  readonly rejected: ReadonlyArray<{ readonly line: number; readonly reason: string }>
}
interface Page {
  readonly events: ReadonlyArray<StoredEvent>
  readonly next: string | null
}
interface Fault {
  readonly _tag: string
  readonly message: string
  readonly issues: ReadonlyArray<{ readonly path: string; readonly message: string }>
}

let count = 0
const newProject = async (): Promise<{ readonly id: string; readonly secret: string }> => {
  const { body, status } = await ask<{ project: { id: string }; apiKey: { secret: string } }>(
    app,
    "POST",
    "/v1/projects",
    {
      name: `Test ${++count}`
    }
  )
  expect(status).toBe(201)
  return { id: body.project.id, secret: body.apiKey.secret }
}

const stored = (project: string, lines: number) =>
  eventually(`${lines} stored lines`, async () => {
    const { body } = await ask<Page>(app, "GET", `/v1/logs?project=${project}&limit=1000`)
    return body.events.length >= lines ? body.events : undefined
  })

describe("POST /v1/logs", () => {
  it("tells formats apart line by line, and finds each with its level and time", async () => {
    const { id } = await newProject()
    const lines = [
      '{"time":"2026-11-20T10:00:00.000Z","level":"warn","service":"api","message":"disk is slow","disk":"sda"}',
      'time=2026-11-20T10:00:01Z level=error service=db msg="connection reset"',
      "<34>1 2026-11-20T10:00:02Z web1 su - ID47 - 'su root' failed",
      '203.0.113.9 - - [20/Nov/2026:10:00:03 +0000] "GET /a HTTP/1.1" 503 12 "-" "curl/8"',
      "2026-11-20 10:00:04,000 INFO [main] started"
    ]
    const answer = await ask<Accepted>(app, "POST", "/v1/logs", lines.join("\n"), { "x-loglytics-project": id })
    expect(answer).toMatchObject({ status: 202, body: { accepted: 5, rejected: [] } })
    const events = await stored(id, 5)
    expect(events.map(({ level, time }) => [time, level])).toEqual([
      ["2026-11-20T10:00:04.000Z", "info"],
      ["2026-11-20T10:00:03.000Z", "error"],
      ["2026-11-20T10:00:02.000Z", "fatal"],
      ["2026-11-20T10:00:01.000Z", "error"],
      ["2026-11-20T10:00:00.000Z", "warn"]
    ])
    expect(events.at(-1)).toMatchObject({ service: "api", message: "disk is slow", attributes: { disk: "sda" } })
  })

  it("names lines of NDJSON that are no objects, and keeps the rest", async () => {
    const { id } = await newProject()
    const { body, status } = await ask<Accepted>(
      app,
      "POST",
      "/v1/logs",
      '{"message":"a"}\nnot json\n\n{"message":"b"}\n[1]',
      {
        "x-loglytics-project": id,
        "content-type": "application/x-ndjson"
      }
    )
    expect(status).toBe(202)
    expect(body.accepted).toBe(2)
    expect(body.rejected.map(({ line }) => line)).toEqual([2, 5])
    expect(body.rejected[0]?.reason).toMatch(/expected a JSON object, got/u)
  })

  it("reads a JSON array, and gzip", async () => {
    const { id } = await newProject()
    const headers = { "x-loglytics-project": id, "content-type": "application/json" }
    const array = JSON.stringify([{ message: "one" }, { message: "two" }])
    expect((await ask<Accepted>(app, "POST", "/v1/logs", array, headers)).body.accepted).toBe(2)
    const packed = await ask<Accepted>(app, "POST", "/v1/logs", gzipSync("three\nfour\n"), {
      "x-loglytics-project": id,
      "content-encoding": "gzip"
    })
    expect(packed.body.accepted).toBe(2)
    expect((await stored(id, 4)).map(({ message }) => message).sort()).toEqual(["four", "one", "three", "two"])
  })

  it("adds a request with an Idempotency-Key once", async () => {
    const { id } = await newProject()
    const headers = { "x-loglytics-project": id, "idempotency-key": "k1" }
    for (let i = 0; i < 3; i++) {
      expect((await ask<Accepted>(app, "POST", "/v1/logs", "same line", headers)).body.accepted).toBe(1)
    }
    await ask(app, "POST", "/v1/logs", "last line", { "x-loglytics-project": id })
    const events = await eventually("the last line", async () => {
      const { body } = await ask<Page>(app, "GET", `/v1/logs?project=${id}`)
      return body.events.some(({ message }) => message === "last line") ? body.events : undefined
    })
    expect(events).toHaveLength(2)
  })

  it("masks secrets before anything is kept", async () => {
    const { id } = await newProject()
    await ask(app, "POST", "/v1/logs", "login password=hunter2 ok", { "x-loglytics-project": id })
    const [event] = await stored(id, 1)
    expect(event?.message).not.toContain("hunter2")
    expect(event?.message).toContain("login")
  })

  it("refuses what is too large, truncated or packed in an unknown way", async () => {
    const large = await ask<Fault>(app, "POST", "/v1/logs", "x".repeat(1_024 * 1_024 + 1))
    expect(large.status).toBe(413)
    const zeros = await ask<Fault>(
      app,
      "POST",
      "/v1/logs",
      gzipSync(Buffer.alloc(4 * 1_024 * 1_024, `${"a".repeat(4_000)}\n`)),
      {
        "content-encoding": "gzip"
      }
    )
    expect(zeros.status).toBe(413)
    const cut = await ask<Fault>(app, "POST", "/v1/logs", gzipSync("line\n".repeat(1_000)).subarray(0, 20), {
      "content-encoding": "gzip"
    })
    expect(cut).toMatchObject({ status: 422, body: { _tag: "Invalid", issues: [{ path: "body" }] } })
    for (const name of ["lzma", "constructor", "__proto__", "valueof"]) {
      const odd = await ask<Fault>(app, "POST", "/v1/logs", "x", { "content-encoding": name })
      expect(odd).toMatchObject({ status: 422, body: { issues: [{ path: "Content-Encoding" }] } })
    }
  })
})

describe("GET /v1/logs", () => {
  it("pages newest first without gap or repetition", async () => {
    const { id } = await newProject()
    const lines = Array.from({ length: 25 }, (_, i) =>
      JSON.stringify({ time: 1_790_000_000_000 + (i >> 1), message: `n${i}` })
    )
    await ask(app, "POST", "/v1/logs", lines.join("\n"), { "x-loglytics-project": id })
    await stored(id, 25)
    const seen: Array<string> = []
    let cursor: string | null = ""
    while (cursor !== null) {
      const page: Page = (
        await ask<Page>(app, "GET", `/v1/logs?project=${id}&limit=10${cursor === "" ? "" : `&cursor=${cursor}`}`)
      ).body
      seen.push(...page.events.map(({ message }) => message))
      cursor = page.next
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => `n${24 - i}`))
  })

  it("cuts a page where its lines are large, and goes on after it", async () => {
    const { id } = await newProject()
    const large = "x".repeat(200_000)
    for (let part = 0; part < 12; part++) {
      const lines = Array.from({ length: 5 }, (_, i) => `${part * 5 + i} ${large}`)
      await ask(app, "POST", "/v1/logs", gzipSync(lines.join("\n")), {
        "x-loglytics-project": id,
        "content-encoding": "gzip"
      })
    }
    const small = await ask<Page>(app, "GET", `/v1/logs?project=${id}&limit=1`)
    expect(small.body.events).toHaveLength(1)
    const all = await eventually("60 lines in pages", async () => {
      const seen: Array<string> = []
      let cursor: string | null = ""
      while (cursor !== null) {
        const page: Page = (
          await ask<Page>(app, "GET", `/v1/logs?project=${id}&limit=1000${cursor === "" ? "" : `&cursor=${cursor}`}`)
        ).body
        expect(page.events.length).toBeLessThan(50)
        seen.push(...page.events.map(({ message }) => message.split(" ")[0] ?? ""))
        cursor = page.next
      }
      return seen.length >= 60 ? seen : undefined
    })
    expect(new Set(all).size).toBe(60)
  })

  it("tells each fault of a query by path", async () => {
    const bad = await ask<Fault>(app, "GET", "/v1/logs?limit=0")
    expect(bad).toMatchObject({ status: 422, body: { issues: [{ path: "query.limit" }] } })
    for (const [query, path] of [
      ["q=level:loud", "query.q"],
      ["level=loud", "query.level"],
      ["from=yesterday", "query.from"],
      ["cursor=zzz", "query.cursor"]
    ] as const) {
      const fault = await ask<Fault>(app, "GET", `/v1/logs?${query}`)
      expect([fault.status, fault.body.issues[0]?.path]).toEqual([422, path])
    }
  })
})

describe("keys and projects", () => {
  it("answers 401 without a good key", async () => {
    for (const key of ["", "lg_wrong"]) {
      const { body, status } = await ask<Fault>({ url: app.url, key }, "GET", "/v1/projects")
      expect([status, body._tag]).toEqual([401, "Unauthorized"])
    }
  })

  it("keeps a project key in its project", async () => {
    const mine = await newProject()
    const other = await newProject()
    const key = { url: app.url, key: mine.secret }
    expect((await ask(key, "POST", "/v1/logs", "hello")).status).toBe(202)
    expect((await stored(mine.id, 1))[0]?.message).toBe("hello")
    expect((await ask(key, "GET", `/v1/logs?project=${other.id}`)).status).toBe(403)
    expect((await ask(key, "GET", "/v1/queues")).status).toBe(403)
    expect((await ask(key, "POST", "/v1/projects", { name: "x" })).status).toBe(403)
    expect((await ask(key, "POST", "/tasks/health_check", {})).status).toBe(403)
    expect((await ask<ReadonlyArray<{ id: string }>>(key, "GET", "/v1/projects")).body.map(({ id }) => id)).toEqual([
      mine.id
    ])
  })

  it("refuses a project that exists, one without a usable name, and fields it does not know", async () => {
    const { id } = await newProject()
    expect((await ask(app, "POST", "/v1/projects", { id, name: "again" })).status).toBe(409)
    expect((await ask<Fault>(app, "POST", "/v1/projects", { name: "!!!" })).body.issues[0]?.path).toBe("payload.name")
    const odd = await ask<Fault>(app, "POST", "/v1/projects", { name: "", colour: "red" })
    expect(odd.status).toBe(422)
    expect(odd.body.issues.map(({ path }) => path).sort()).toEqual(["payload.colour", "payload.name"])
    expect((await ask(app, "GET", "/v1/logs?project=nowhere")).status).toBe(404)
    expect((await ask(app, "GET", "/v1/logs?project=%00")).status).toBe(404)
    expect((await ask(app, "POST", "/v1/projects", { name: "a\0b" })).status).toBe(422)
  })
})

describe("rules", () => {
  const good = {
    name: "errors",
    type: "threshold",
    query: "level:error",
    window: "1 minute",
    threshold: 5,
    for: "0 seconds"
  }
  it("keeps a rule and removes it", async () => {
    const { id } = await newProject()
    const made = await ask<{ id: string }>(app, "POST", `/v1/rules?project=${id}`, good)
    expect(made).toMatchObject({ status: 201, body: { ...good, project: id, enabled: true } })
    expect((await ask<ReadonlyArray<unknown>>(app, "GET", `/v1/rules?project=${id}`)).body).toHaveLength(1)
    const path = `/v1/rules/${made.body.id}?project=${id}`
    expect(await ask(app, "GET", path)).toMatchObject({ status: 200, body: good })
    expect(await ask(app, "PUT", path, { ...good, threshold: 7, groupBy: ["service"] })).toMatchObject({
      status: 200,
      body: { threshold: 7, groupBy: ["service"], enabled: true }
    })
    expect(await ask(app, "PATCH", path, { enabled: false })).toMatchObject({
      status: 200,
      body: { threshold: 7, enabled: false }
    })
    expect((await ask(app, "DELETE", `/v1/rules/${made.body.id}`)).status).toBe(404)
    expect((await ask(app, "DELETE", `/v1/rules/${made.body.id}?project=${id}`)).status).toBe(204)
    expect((await ask<ReadonlyArray<unknown>>(app, "GET", `/v1/rules?project=${id}`)).body).toEqual([])
  })

  it("tells every fault with its path", async () => {
    const { body, status } = await ask<Fault>(app, "POST", "/v1/rules", {
      name: "",
      type: "threshold",
      query: "level:loud",
      window: "1 mn",
      threshold: 0
    })
    expect(status).toBe(422)
    expect(body.issues.map(({ path }) => path).sort()).toEqual([
      "payload.name",
      "payload.query",
      "payload.threshold",
      "payload.window"
    ])
  })
})

describe("files and tasks", () => {
  const finished = (id: string) =>
    eventually(`task ${id} to end`, async () => {
      const { body } = await ask<{ status: string; result: unknown }>(app, "GET", `/tasks/${id}`)
      return ["SUCCESS", "FAILURE", "REVOKED"].includes(body.status) ? body : undefined
    })

  it("uploads a file, processes it and calculates its analytics, once", async () => {
    const { id, secret } = await newProject()
    const text = "2026-11-20 10:00:00,000 INFO [main] a\n2026-11-20 10:00:05,000 ERROR [main] b\n"
    const file = await ask<{ id: string }>(app, "POST", `/logs/upload?project=${id}&name=../../app.log`, text)
    expect(file).toMatchObject({ status: 201, body: { name: "app.log", bytes: text.length, status: "uploaded" } })
    for (let run = 0; run < 2; run++) {
      const queued = await ask<{ task_id: string; status: string }>(
        app,
        "POST",
        `/logs/process/${file.body.id}?project=${id}`
      )
      expect(queued).toMatchObject({ status: 200, body: { status: "queued" } })
      expect(await finished(queued.body.task_id)).toMatchObject({
        status: "SUCCESS",
        result: { lines: 2, byLevel: { info: 1, error: 1 }, errorRate: 0.5, lastTime: "2026-11-20T10:00:05.000Z" }
      })
    }
    expect(await stored(id, 2)).toHaveLength(2)
    const known = await ask<{ file: { status: string; lines: number } }>(
      app,
      "GET",
      `/logs/files/${file.body.id}?project=${id}`
    )
    expect(known.body.file).toMatchObject({ status: "processed", lines: 2 })
    expect((await ask(app, "POST", `/logs/process/${file.body.id}`)).status).toBe(404)
    const again = await ask<{ task_id: string }>(app, "POST", `/logs/process/${file.body.id}?project=${id}`)
    await finished(again.body.task_id)
    const [mine, other] = [
      { url: app.url, key: secret },
      { url: app.url, key: (await newProject()).secret }
    ]
    expect((await ask(mine, "GET", `/tasks/${again.body.task_id}`)).status).toBe(200)
    expect((await ask(other, "GET", `/tasks/${again.body.task_id}`)).status).toBe(404)
  })

  it("takes a form with a file", async () => {
    const form = new FormData()
    // More than any other JSON or form may be; uploads have a limit of their own.
    form.set("file", new Blob(["a line\n".repeat(140_000)]), "form.log")
    const response = await fetch(`${app.url}/logs/upload`, {
      method: "POST",
      headers: { authorization: `Bearer ${app.key}` },
      body: form
    })
    expect([response.status, await response.json()]).toMatchObject([201, { name: "form.log", bytes: 980_000 }])
  })

  it("queues a task by name, and tells faults by path", async () => {
    const queued = await ask<{ task_id: string }>(app, "POST", "/tasks/health_check", {})
    expect(queued).toMatchObject({ status: 202, body: { status: "queued" } })
    expect(await finished(queued.body.task_id)).toMatchObject({ status: "SUCCESS", result: { healthy: true } })
    expect((await ask(app, "POST", "/tasks/nothing", {})).status).toBe(404)
    expect((await ask(app, "GET", "/tasks/d-nothing")).status).toBe(404)
    const bad = await ask<Fault>(app, "POST", "/tasks/process_log_file", { projectId: 3, fileId: "f" })
    expect([bad.status, bad.body.issues.map(({ path }) => path)]).toEqual([422, ["payload.projectId"]])
  })
})

describe("around it", () => {
  it("tells Prometheus of queues, tasks and workers, under Flower's names too", async () => {
    const { body: job } = await ask<{ task_id: string }>(app, "POST", "/tasks/health_check", {})
    expect(job.task_id).toMatch(/^h-|^d-|^l-/u)
    // The figures come with the workers' heartbeats.
    const text = await eventually("the job is counted", async () => {
      const { body } = await ask<string>(app, "GET", "/metrics")
      return /^flower_events_total\{[^}]*task="health_check"[^}]*type="task-succeeded"[^}]*\} [1-9]/mu.test(body)
        ? body
        : undefined
    })
    for (const queue of ["high-priority", "default", "low-priority"]) {
      expect(text).toContain(`loglytics_queue_oldest_seconds{queue="${queue}"} `)
      expect(text).toContain(`loglytics_queue_backlog{queue="${queue}"} `)
    }
    const one = (name: string, labels: string) => new RegExp(`^${name}\\{[^}]*${labels}[^}]*\\} [\\d.e-]+$`, "mu")
    for (const name of [
      "loglytics_task_attempts_total",
      "loglytics_task_wait_seconds_count",
      "flower_task_runtime_seconds_bucket",
      "flower_task_prefetch_time_seconds",
      "flower_worker_prefetched_tasks"
    ])
      expect(text).toMatch(one(name, 'task="health_check"'))
    expect(text).toMatch(/^flower_worker_online\{worker="[^"]+"\} 1$/mu)
    expect(text).toMatch(/^flower_worker_number_of_currently_executing_tasks\{worker="[^"]+"\} \d+$/mu)
  })
  it("tells health, metrics, its own description and schedules", async () => {
    expect((await ask(app, "GET", "/health")).body).toMatchObject({ status: "ok" })
    expect((await ask<string>(app, "GET", "/metrics")).body).toMatch(
      /^loglytics_queue_backlog\{queue="default"\} \d+$/mu
    )
    const description = await ask<{ paths: Record<string, unknown> }>(app, "GET", "/openapi.json")
    expect(Object.keys(description.body.paths)).toContain("/v1/logs")
    const schedules = await ask<ReadonlyArray<{ name: string }>>(app, "GET", "/v1/schedules")
    expect(schedules.body.map(({ name }) => name)).toContain("poll_all_connections")
  })
})
