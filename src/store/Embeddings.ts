/**
 * Vectors of templates, one per template and model, and the templates as a search by meaning needs them: all texts at once,
 * counts of a few. How vectors are made and what is near is left to others.
 */
import { Clock, Context, Effect, Layer } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import { Database, type StoreError } from "./Database.ts"

export interface StoredVector {
  /** Id of the template. */
  readonly template: number
  /** Digest of the text that it was made of. */
  readonly digest: string
  readonly vector: Float32Array
}

/** A template that no other has taken in. */
export interface TemplateText {
  readonly id: number
  readonly text: string
  /** One message that it came of. */
  readonly sample: string
  /** ISO 8601. */
  readonly firstSeen: string
  readonly lastSeen: string
}

/** Lines that came of a template. */
export interface Seen {
  readonly lines: number
  /** Arrival of the last one, ISO 8601. */
  readonly lastAt: string
}

/** Arrival, epoch ms; whole hours count. */
export interface Window {
  readonly from: number
  readonly to: number
}

export class Embeddings extends Context.Service<
  Embeddings,
  {
    /** At most `max` templates of a project, those seen last first. */
    readonly templates: (project: ProjectId, max: number) => Effect.Effect<ReadonlyArray<TemplateText>, StoreError>
    /** Lines of each template that arrived in the window; of all time without one; only of `ids`, where they are told. */
    readonly counts: (
      project: ProjectId,
      options: { readonly ids?: ReadonlyArray<number>; readonly window?: Window }
    ) => Effect.Effect<ReadonlyMap<number, Seen>, StoreError>
    /** All vectors of a project by one model. */
    readonly list: (project: ProjectId, model: string) => Effect.Effect<ReadonlyArray<StoredVector>, StoreError>
    /** Template → digest and size of its vector. */
    readonly digests: (
      project: ProjectId,
      model: string
    ) => Effect.Effect<ReadonlyMap<number, { readonly digest: string; readonly dims: number }>, StoreError>
    /** Stores or replaces. */
    readonly save: (
      project: ProjectId,
      model: string,
      vectors: ReadonlyArray<StoredVector>
    ) => Effect.Effect<void, StoreError>
    /** Removes all vectors of one model. */
    readonly forget: (project: ProjectId, model: string) => Effect.Effect<void, StoreError>
    /** Removes vectors of templates that are gone, all those of models other than `models`; answers how many. */
    readonly prune: (
      project: ProjectId,
      keep: { readonly models: ReadonlyArray<string>; readonly templates: ReadonlyArray<number> }
    ) => Effect.Effect<number, StoreError>
  }
>()("loglytics/store/Embeddings") {
  static readonly layer = Layer.effect(Embeddings, Effect.map(Database, make))
}

/** Vectors that are written, and read, by one statement. */
const chunk = 500
const page = 2_000
/** Bytes of one number. */
const width = 4

const hourMs = 3_600_000
const hour = (ms: number, round: (n: number) => number): string => new Date(round(ms / hourMs) * hourMs).toISOString()

const toBytes = (vector: Float32Array): Buffer => {
  const bytes = Buffer.alloc(vector.length * width)
  for (const [i, n] of vector.entries()) bytes.writeFloatLE(n, i * width)
  return bytes
}

const fromBytes = (bytes: Uint8Array): Float32Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float32Array.from({ length: Math.floor(bytes.length / width) }, (_, i) => view.getFloat32(i * width, true))
}

function make(database: Database["Service"]): Embeddings["Service"] {
  const save: Embeddings["Service"]["save"] = Effect.fnUntraced(function* (project, model, vectors) {
    const now = new Date(yield* Clock.currentTimeMillis).toISOString()
    for (let at = 0; at < vectors.length; at += chunk) {
      const rows = vectors.slice(at, at + chunk).map(({ digest, template, vector }) => ({
        template,
        digest,
        dims: vector.length,
        vector: toBytes(vector).toString("base64")
      }))
      yield* database.query(
        "embeddings.save",
        (sql) => sql`
          insert into embeddings (project, template, model, digest, dims, vector, made_at)
          select ${project}, r.template, ${model}, r.digest, r.dims, decode(r.vector, 'base64'), ${now}::text::timestamptz
          from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
            as r (template bigint, digest text, dims integer, vector text)
          on conflict (project, model, template) do update
            set digest = excluded.digest, dims = excluded.dims, vector = excluded.vector, made_at = excluded.made_at`
      )
    }
  })

  const list: Embeddings["Service"]["list"] = Effect.fnUntraced(function* (project, model) {
    const found: Array<StoredVector> = []
    let after = -1
    for (;;) {
      const rows = yield* database.read(
        "embeddings.list",
        (sql) => sql<Array<{ template: string; digest: string; vector: Uint8Array }>>`
          select template::text, digest, vector from embeddings
          where project = ${project} and model = ${model} and template > ${after}::text::bigint
          order by template limit ${page}`
      )
      for (const { digest, template, vector } of rows) {
        found.push({ template: Number(template), digest, vector: fromBytes(vector) })
      }
      if (rows.length < page) return found
      after = found.at(-1)!.template
    }
  })

  return Embeddings.of({
    save,
    templates: (project, max) =>
      database
        .read(
          "embeddings.templates",
          (sql) => sql<Array<{ id: string; text: string; sample: string; first_seen: Date; last_seen: Date }>>`
            select id::text, text, sample, first_seen, last_seen from templates
            where project = ${project} and alias is null order by last_seen desc, id limit ${max}`
        )
        .pipe(
          Effect.map((rows) =>
            rows.map((row) => ({
              id: Number(row.id),
              text: row.text,
              sample: row.sample,
              firstSeen: row.first_seen.toISOString(),
              lastSeen: row.last_seen.toISOString()
            }))
          )
        ),
    counts: (project, { ids, window }) =>
      database
        .read("embeddings.counts", (sql) => {
          const wanted = JSON.stringify(ids ?? [])
          const mine =
            ids === undefined
              ? sql``
              : sql`and coalesce(t.alias, t.id) in (select jsonb_array_elements_text(${wanted}::text::jsonb)::bigint)`
          const hours =
            window === undefined
              ? sql``
              : sql`and c.hour >= ${hour(window.from, Math.floor)}::text::timestamptz
                  and c.hour < ${hour(window.to, Math.ceil)}::text::timestamptz`
          return sql<Array<{ id: string; lines: string; last_at: Date }>>`
            select coalesce(t.alias, t.id)::text as id, sum(c.lines)::text as lines, max(c.last_at) as last_at
            from template_counts c join templates t on t.project = c.project and t.id = c.template
            where c.project = ${project} ${hours} ${mine} group by 1`
        })
        .pipe(
          Effect.map(
            (rows) =>
              new Map(
                rows.map((row) => [Number(row.id), { lines: Number(row.lines), lastAt: row.last_at.toISOString() }])
              )
          )
        ),
    list,
    digests: (project, model) =>
      database
        .query(
          "embeddings.digests",
          (sql) => sql<Array<{ template: string; digest: string; dims: number }>>`
            select template::text, digest, dims from embeddings where project = ${project} and model = ${model}`
        )
        .pipe(
          Effect.map((rows) => new Map(rows.map(({ digest, dims, template }) => [Number(template), { digest, dims }])))
        ),
    forget: (project, model) =>
      Effect.asVoid(
        database.query(
          "embeddings.forget",
          (sql) => sql`delete from embeddings where project = ${project} and model = ${model}`
        )
      ),
    prune: (project, { models, templates }) =>
      database
        .query(
          "embeddings.prune",
          (sql) => sql`
            delete from embeddings where project = ${project} and not (
              model in (select jsonb_array_elements_text(${JSON.stringify(models)}::text::jsonb))
              and template in (select jsonb_array_elements_text(${JSON.stringify(templates)}::text::jsonb)::bigint))`
        )
        .pipe(Effect.map((rows) => rows.count))
  })
}
