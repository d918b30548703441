/**
 * Tidies a project's patterns: joins templates that are one, brings up to date when each was seen, and forgets those that
 * nothing was seen of for long. Safe to run again and beside the pipeline: an id that is joined to another still resolves.
 */
import { Clock, Effect, Schema } from "effect"
import { ProjectId } from "../../domain/Ids.ts"
import { Engine } from "../../jobs/Engine.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { Miner } from "../../parse/templates/Miner.ts"
import { Templates } from "../../store/Templates.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { GenerateEmbeddings } from "../logs/generate_embeddings.ts"

export const CalculateLogPatterns = Task.make("calculate_log_patterns", {
  payload: { projectId: ProjectId },
  result: Schema.Struct({
    projectId: ProjectId,
    /** Templates that there are now. */
    templates: Schema.Int,
    /** Templates that were joined to others. */
    joined: Schema.Int,
    /** Templates that were forgotten. */
    forgotten: Schema.Int,
    /** The patterns of the last day with the most lines. */
    top: Schema.Array(
      Schema.Struct({ id: Schema.String, text: Schema.String, count: Schema.Int, share: Schema.Finite })
    )
  }),
  error: DependencyFailed,
  timeout: "10 minutes",
  retry: Retry.exponential({ attempts: 3, base: "2 seconds", cap: "1 minute" }),
  unique: ({ projectId }) => projectId
})

const dayMs = 86_400_000
/** Counts and templates are kept this long after they were seen, ms. */
const keptMs = 90 * dayMs
/** Templates kept; those that were not seen for longest go. */
const templatesMax = 50_000
const topMax = 10
/** Characters of a text in the result. */
const topText = 300

export const CalculateLogPatternsLive = CalculateLogPatterns.toLayer(
  Effect.gen(function* () {
    const templates = yield* Templates
    const engine = yield* Engine
    return Effect.fn("CalculateLogPatterns")(function* ({ projectId }) {
      const work = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const kept = yield* templates.load(projectId, { max: templatesMax, since: now - keptMs })
        const miner = new Miner({ templatesMax, weightMax: 128_000_000 })
        for (const one of kept.templates) {
          miner.adopt(one)
        }
        miner.consolidate()
        const changed = miner.takeChanged()
        yield* templates.save(projectId, changed, now)
        yield* templates.refresh(projectId)
        const forgotten = yield* templates.forget(projectId, { before: now - keptMs, max: templatesMax, now })
        // A search asks for vectors that are missing by itself: nothing is lost where this one is not taken.
        yield* Effect.ignore(engine.enqueue(GenerateEmbeddings.job({ projectId })))
        const top = yield* templates.patterns({
          project: projectId,
          from: now - dayMs,
          to: now,
          sort: "count",
          limit: topMax
        })
        return {
          projectId,
          templates: yield* templates.refresh(projectId),
          joined: changed.filter(({ alias }) => alias !== undefined).length,
          forgotten,
          top: top.map(({ count, id, share, text }) => ({
            id,
            text: text.slice(0, topText).toWellFormed(),
            count,
            share
          }))
        }
      })
      return yield* Effect.mapError(work, dependencyFailed)
    })
  })
)
