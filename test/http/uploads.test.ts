/** Uploads: kept as sent, by body or form; too large, cut off and a full disk leave nothing; a large one is processed flat. */
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { request } from "node:http"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { type App, ask, makeRoom, type Room, startApp } from "../support/app.ts"
import { eventually } from "../support/eventually.ts"

const wait = 60_000

interface File {
  readonly id: string
  readonly bytes: number
  readonly status: string
  readonly lines: number
  readonly error: string | null
}

describe("uploads", () => {
  let room: Room
  let app: App
  const folder = () => join(room.dataDir, "files")
  const kept = (): ReadonlyArray<string> => (existsSync(folder()) ? readdirSync(folder()) : [])

  beforeAll(async () => {
    room = await makeRoom()
    app = await startApp(room, { env: { LOGLYTICS_UPLOAD_MAX_MB: "3", LOGLYTICS_BODY_MAX_MB: "1" } })
  }, wait)
  afterAll(async () => {
    await app?.stop()
    await room?.clear()
  }, wait)

  const processed = async (id: string): Promise<File> => {
    expect((await ask(app, "POST", `/logs/process/${id}`)).status).toBe(200)
    return eventually(
      "the end of the processing",
      async () => {
        const { body } = await ask<{ file: File }>(app, "GET", `/logs/files/${id}`)
        return body.file.status === "processed" || body.file.status === "failed" ? body.file : undefined
      },
      wait
    )
  }
  const text = (mark: string, count: number): string =>
    Array.from({ length: count }, (_, i) => `2026-11-24T01:02:03Z INFO ${mark} ${i}\n`).join("")

  it(
    "are kept as they are sent, beyond the limit of other bodies, and read through",
    async () => {
      const large = text("plainly", 40_000)
      const plain = text("packed", 2_000)
      expect(large.length).toBeGreaterThan(1_024 * 1_024)
      for (const [body, headers] of [
        [large, {}],
        [gzipSync(plain), {}],
        [gzipSync(plain), { "content-encoding": "gzip" }],
        [zstdCompressSync(plain), { "content-encoding": "zstd" }],
        [zstdCompressSync(plain), {}]
      ] as const) {
        const { body: file, status } = await ask<File>(app, "POST", "/logs/upload?name=a.log", body, headers)
        expect(status).toBe(201)
        expect(file.bytes).toBe(Buffer.byteLength(body))
        expect(readFileSync(join(folder(), file.id)).equals(Buffer.from(body))).toBe(true)
        expect(await processed(file.id)).toMatchObject({ status: "processed", lines: body === large ? 40_000 : 2_000 })
      }
    },
    wait * 2
  )

  it(
    "are listed, and removed from disk while what was stored of them stays",
    async () => {
      await ask(app, "POST", "/v1/projects", { id: "files", name: "files" })
      const as = { "x-loglytics-project": "files" }
      const sent = []
      for (const name of ["one.log", "two.log"]) {
        const { body } = await ask<File>(app, "POST", `/logs/upload?name=${name}`, text("listed", 3), as)
        sent.push(body.id)
      }
      const list = async () =>
        (await ask<ReadonlyArray<{ id: string; name: string }>>(app, "GET", "/logs/files?project=files")).body
      expect((await list()).map(({ id, name }) => [id, name])).toEqual([
        [sent[1], "two.log"],
        [sent[0], "one.log"]
      ])
      expect((await ask(app, "DELETE", `/logs/files/${sent[0]}`)).status).toBe(404)
      expect((await ask(app, "DELETE", `/logs/files/${sent[0]}`, undefined, as)).status).toBe(204)
      expect((await list()).map(({ id }) => id)).toEqual([sent[1]])
      expect(kept()).not.toContain(sent[0])
      expect((await ask(app, "GET", `/logs/files/${sent[0]}`, undefined, as)).status).toBe(404)
      expect((await ask(app, "POST", `/logs/process/${sent[0]}`, undefined, as)).status).toBe(404)
    },
    wait
  )

  it(
    "come by form as well, whatever stands beside the file",
    async () => {
      const form = new FormData()
      form.set("comment", "x".repeat(1_000))
      form.set("other", new Blob(["not this"]), "other.log")
      form.set("file", new Blob([text("formed", 3_000)]), "../of form.log")
      const response = await fetch(`${app.url}/logs/upload`, {
        method: "POST",
        headers: { authorization: `Bearer ${app.key}` },
        body: form
      })
      expect(response.status).toBe(201)
      const file = (await response.json()) as File & { readonly name: string }
      expect(file.name).toBe("of form.log")
      expect(await processed(file.id)).toMatchObject({ lines: 3_000 })
      const none = new FormData()
      none.set("comment", "x")
      const refused = await fetch(`${app.url}/logs/upload`, {
        method: "POST",
        headers: { authorization: `Bearer ${app.key}` },
        body: none
      })
      expect(refused.status).toBe(422)
    },
    wait
  )

  it(
    "leave nothing when they are too large or cut off",
    async () => {
      const before = kept()
      const large = randomBytes(4 * 1_024 * 1_024)
      const headers = { authorization: `Bearer ${app.key}` }
      const form = Buffer.concat([
        Buffer.from('--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'),
        large,
        Buffer.from("\r\n--b--\r\n")
      ])
      /** A connection of its own, since the server need not keep one whose body it has refused. */
      const status = (body: Buffer, more: Record<string, string>) =>
        new Promise<number | undefined>((done, failed) => {
          const one = request(
            `${app.url}/logs/upload`,
            { method: "POST", headers: { ...headers, ...more }, agent: false },
            (answer) => {
              done(answer.statusCode)
              answer.resume()
            }
          )
          one.on("error", failed)
          one.end(body)
        })
      const length = { "content-length": String(large.length) }
      const boundary = { "content-type": "multipart/form-data; boundary=b" }
      expect(await status(large, length)).toBe(413)
      // Without a length that says it at once.
      expect(await status(large, { "transfer-encoding": "chunked" })).toBe(413)
      expect(await status(form, { ...boundary, "transfer-encoding": "chunked" })).toBe(413)
      expect(await status(form, { ...boundary, "content-length": String(form.length) })).toBe(413)
      for (const type of ["text/plain", "multipart/form-data; boundary=b"]) {
        await new Promise<void>((done) => {
          const one = request(`${app.url}/logs/upload`, {
            method: "POST",
            headers: { ...headers, "content-type": type, "content-length": "1000000" }
          })
          one.on("error", () => done())
          const head = '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
          one.write((type === "text/plain" ? "" : head) + "x".repeat(100_000))
          void eventually("the file under way", () => kept().length > before.length || undefined, wait).then(() => {
            one.destroy()
          })
        })
        await eventually("nothing of it", () => kept().length === before.length || undefined, wait)
      }
      expect(kept()).toEqual(before)
    },
    wait
  )

  it(
    "that are not what they say fail for good",
    async () => {
      const broken = gzipSync(text("broken", 5_000)).subarray(0, 2_000)
      const { body } = await ask<File>(app, "POST", "/logs/upload", broken)
      const file = await processed(body.id)
      expect(file.status).toBe("failed")
      expect(file.error).toMatch(/unexpected end|incorrect/u)
    },
    wait
  )

  it(
    "are told of a full disk",
    async ({ skip }) => {
      // A small file system of its own for the data folder, where we may make one.
      const full = await makeRoom()
      const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=40m", "tmpfs", full.dataDir])
      if (mounted.status !== 0) {
        await full.clear()
        return skip("no file system of a chosen size can be mounted here")
      }
      const other = await startApp(full)
      try {
        // The last two of forty are left to others, who keep what they have there.
        const { body, status } = await ask<{ message: string }>(other, "POST", "/logs/upload", randomBytes(41_500_000))
        expect(status).toBe(507)
        expect(body.message).toContain("room on the disk")
        expect(readdirSync(join(full.dataDir, "files"))).toEqual([])
        expect((await ask(other, "POST", "/logs/upload", randomBytes(30_000_000))).status).toBe(201)
        expect((await ask(other, "POST", "/logs/upload", randomBytes(11_500_000))).status).toBe(507)
      } finally {
        await other.stop()
        spawnSync("umount", [full.dataDir])
        await full.clear()
      }
    },
    wait
  )

  it(
    "keep a line of 1 MB, cut and marked",
    async () => {
      const { body } = await ask<File>(app, "POST", "/logs/upload", `before\n${"y".repeat(1_000_000)}\nafter\n`)
      expect(await processed(body.id)).toMatchObject({ status: "processed", lines: 6 })
      expect(statSync(join(folder(), body.id)).size).toBe(body.bytes)
    },
    wait
  )
})
