import { Effect, Redacted } from "effect"
import { mkdtemp, readdir, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { secretKeys } from "../../src/main/SecretKey.ts"

let dir = ""
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "loglytics-key-"))
})
afterAll(() => rm(dir, { recursive: true }))

const keys = async (configured?: ReadonlyArray<Redacted.Redacted>) =>
  (await Effect.runPromise(secretKeys(join(dir, "data"), configured))).map((key) => Redacted.value(key))

it("makes one key for all that start at once, readable by its owner only, and keeps it", async () => {
  const made = await Promise.all(Array.from({ length: 8 }, () => keys()))
  expect(new Set(made.flat()).size).toBe(1)
  expect(made[0]?.[0]?.length).toBeGreaterThanOrEqual(32)
  expect(await readdir(join(dir, "data"))).toEqual(["secret.key"])
  expect((await stat(join(dir, "data", "secret.key"))).mode & 0o777).toBe(0o600)
  expect(await keys()).toEqual(made[0])
  expect(await keys([Redacted.make("given")])).toEqual(["given"])
})
