/** Two readers of one form: what TypeScript and the scripts make of an entry is the same. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import * as JobEntry from "../../src/streams/JobEntry.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { clientLayer, freshNamespace } from "../support/engine.ts"

const library = readFileSync(new URL("../../src/streams/scripts/entries.lua", import.meta.url), "utf8")
const script = `${library}
local f, bytes = entries.read(ARGV)
return { f['id'] or '', f['task'] or '', f['payload'] or 'null', f['meta'] or '', bytes }`

const plain = { id: "d-1", task: "clean_up", meta: "" }
const cases: ReadonlyArray<readonly [flat: ReadonlyArray<string>, read: JobEntry.JobEntry]> = [
  [["job", 'd-1 clean_up {"a b":" c\\n d"}'], { ...plain, payload: '{"a b":" c\\n d"}' }],
  [["job", "d-1 clean_up {}", "meta", "m"], { ...plain, payload: "{}" }],
  [["job", " d-1 clean_up {}"], { id: " d-1", task: "clean_up", payload: "{}", meta: "" }],
  [["nothing", "here", "job", "d-1 clean_up {}", "id", "d-2"], { id: "d-2", task: "", payload: "null", meta: "" }],
  [["job", "d-1 clean_up "], { ...plain, payload: "" }],
  [["job", "d-1 clean_up ü\u0000\r\n"], { ...plain, payload: "ü\u0000\r\n" }],
  [["id", "d-1", "task", "clean_up", "payload", "{}"], { ...plain, payload: "{}" }],
  [["id", "d-1", "task", "clean_up", "payload", "{}", "meta", '{"t":1}'], { ...plain, payload: "{}", meta: '{"t":1}' }],
  [["payload", "{}", "meta", "m", "task", "clean_up", "id", "d-1"], { ...plain, payload: "{}", meta: "m" }],
  [["id", "d-1", "task", "clean_up"], { ...plain, payload: "null" }]
]
const nobody = { id: "", task: "", payload: "null", meta: "" }
const garbage = [["nothing", "here"], ["job", ""], ["job", "d-1"], ["job", "d-1 clean_up"], ["jobs", "a b c"], []]

it.live("an entry is read alike by the scripts, and one that is not ours is empty", () =>
  Effect.gen(function* () {
    const redis = yield* Redis
    const all = [...cases, ...garbage.map((flat) => [flat, nobody] as const)]
    for (const [flat, expected] of all) {
      assert.deepStrictEqual(JobEntry.read(flat), expected)
      const [id, task, payload, meta, bytes] = (yield* redis.use("eval", (c) =>
        c.eval(script, 0, ...flat)
      )) as ReadonlyArray<string>
      assert.deepStrictEqual({ id, task, payload, meta }, expected)
      const values = flat.filter((_, i) => i % 2 === 1)
      assert.strictEqual(Number(bytes), Buffer.byteLength(values.join("")))
    }
  }).pipe(Effect.provide(clientLayer(freshNamespace("entry"))))
)
