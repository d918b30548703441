import { describe, expect, it } from "vitest"
import { ask, plain, send } from "./speak.ts"

interface BulkAnswer {
  readonly took: number
  readonly errors: boolean
  readonly items: ReadonlyArray<Record<string, { readonly status: number; readonly error?: { readonly type: string } }>>
}

const bulk = (body: string, path = "/_bulk", method = "POST") => {
  const heard = send(ask(method, path, { "content-type": "application/x-ndjson" }), body)
  return { ...heard, answer: JSON.parse(String(heard.reply.body)) as BulkAnswer }
}

describe("_bulk", () => {
  it("hands documents to the formats with their index, and answers compactly", () => {
    const { events, reply } = bulk(
      '{"index":{"_index":"web"}}\n{"message":"a"}\r\n{"create":{}}\n{"message":"b"}\n',
      "/app/_bulk",
      "PUT"
    )
    expect(events.map(plain)).toEqual([
      { line: '{"message":"a"}', attributes: { _index: "web" } },
      { line: '{"message":"b"}', attributes: { _index: "app" } }
    ])
    expect(reply).toEqual({
      status: 200,
      headers: { "content-type": "application/json", "x-elastic-product": "Elasticsearch" },
      body: '{"took":1,"errors":false,"items":[{"index":{"_index":"web","status":201}},{"create":{"_index":"app","status":201}}]}'
    })
  })

  it("gives each item its own status", () => {
    const { answer, events } = bulk(
      [
        '{"create":{"_index":"a","_id":"7"}}',
        '{"message":"good"}',
        '{"delete":{"_index":"a","_id":"1"}}',
        '{"update":{"_index":"a","_id":"1"}}',
        '{"doc":{}}',
        '{"index":{"_index":"a"}}',
        "not json",
        '{"index":{"_index":"a"}}',
        '{"message":"good too"}'
      ].join("\n"),
      "/elastic/_bulk"
    )
    expect(events).toHaveLength(2)
    expect(answer.errors).toBe(true)
    expect(answer.items.map((item) => Object.values(item)[0]?.status)).toEqual([201, 400, 400, 400, 201])
    expect(answer.items[0]).toEqual({ create: { _index: "a", _id: "7", status: 201 } })
    expect(answer.items[3]?.["index"]?.error?.type).toBe("document_parsing_exception")
  })

  it("refuses the whole where an action is none or a document is missing", () => {
    for (const body of ["{}\n{}\n", "x\n{}\n", '{"index":{}}\n', "[]\n"]) {
      const { answer, events, reply } = bulk(body)
      expect([reply.status, events.length]).toEqual([400, 0])
      expect(answer).toMatchObject({ status: 400, error: { type: "illegal_argument_exception" } })
    }
    expect(bulk("").answer).toEqual({ took: 1, errors: false, items: [] })
  })
})

describe("what clients ask before", () => {
  const get = (path: string, method = "GET", headers: Record<string, string> = {}) => {
    const { reply } = send(ask(method, path, headers), "")
    expect(reply.headers["x-elastic-product"]).toBe("Elasticsearch")
    return { status: reply.status, body: JSON.parse(String(reply.body)) as Record<string, unknown> }
  }

  it.each(["", "/elastic"])("is answered under %j", (base) => {
    expect(get(`${base}/`, "GET", { accept: "application/json" }).body).toMatchObject({ version: { number: /^8\./u } })
    expect(get(`${base}/`, "HEAD").status).toBe(200)
    expect(get(`${base}/_license`).body).toMatchObject({ license: { type: "oss", status: "active" } })
    expect(get(`${base}/_cluster/health`).body).toMatchObject({ status: "green" })
    expect(get(`${base}/_ilm/policy/filebeat`).body).toEqual({})
    for (const path of ["_ilm/policy/x", "_index_template/x", "_ingest/pipeline/x", "_logstash/x"]) {
      expect(get(`${base}/${path}`, "PUT")).toEqual({ status: 200, body: { acknowledged: true } })
    }
    expect(get(`${base}/_nodes/_all/http`).body).toMatchObject({ _nodes: { total: 1 } })
  })

  it("leaves the dashboard to browsers, and says what it does not know", () => {
    expect(() => get("/", "GET", { accept: "text/html,*/*" })).toThrow("got none")
    expect(() => get("/", "GET", { accept: "*/*" })).toThrow("got none")
    expect(get("/elastic/").status).toBe(200)
    expect(get("/elastic/app/_search", "POST")).toMatchObject({ status: 404, body: { status: 404 } })
  })
})
