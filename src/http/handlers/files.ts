/** Handlers of the group `files`: an upload is kept as it comes, processing it is a job. */
import { ByteSize, Effect, type Scope } from "effect"
import { HttpServerRequest, Multipart } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { randomBytes } from "node:crypto"
import { createReadStream } from "node:fs"
import { basename } from "node:path"
import { LogFileId, type ProjectId } from "../../domain/Ids.ts"
import { Engine } from "../../jobs/Engine.ts"
import { Blobs } from "../../store/Blobs.ts"
import { LogFiles } from "../../store/LogFiles.ts"
import { Projects } from "../../store/Projects.ts"
import { CalculateAnalytics } from "../../tasks/analytics/calculate_analytics.ts"
import { ProcessLogFile } from "../../tasks/logs/process_log_file.ts"
import { Api } from "../Api.ts"
import { requestProject } from "../Auth.ts"
import { Invalid, invalid, TooLarge } from "../Errors.ts"
import { projectTaskId } from "./task_ids.ts"
import { fromEnqueue, orNotFound, orUnavailable, unavailable } from "./common.ts"
import { type IngestLimits, openBody } from "./ingest.ts"

const cleanName = (name: string): string =>
  basename(name.replaceAll("\\", "/"))
    .replace(/\p{Cc}/gu, "")
    .slice(0, 200) || "upload.log"

export const FilesHandlers = (limits: IngestLimits) =>
  HttpApiBuilder.group(
    Api,
    "files",
    Effect.fnUntraced(function* (handlers) {
      const files = yield* LogFiles
      const blobs = yield* Blobs
      const engine = yield* Engine
      const projects = yield* Projects
      const requested = requestProject.pipe(Effect.provideService(Projects, projects))

      const keep = Effect.fnUntraced(function* (project: ProjectId, name: string, body: AsyncIterable<Uint8Array>) {
        const id = LogFileId.make(randomBytes(12).toString("base64url"))
        const bytes = yield* blobs
          .write(id, body, limits.bodyMax)
          .pipe(
            Effect.mapError((error) =>
              error._tag === "BlobTooLarge" ? new TooLarge({ message: error.message }) : unavailable(error)
            )
          )
        return yield* files.create({ id, project, name: cleanName(name), bytes }).pipe(
          Effect.tapError(() => Effect.ignore(blobs.remove(id))),
          Effect.mapError(unavailable)
        )
      })

      /** The part `file` of a form, by way of a temporary file. */
      const fromForm = (project: ProjectId, request: HttpServerRequest.HttpServerRequest) =>
        Effect.gen(function* () {
          const form = yield* request.multipart.pipe(
            Effect.provideService(HttpServerRequest.MaxBodySize, ByteSize.bytes(limits.bodyMax)),
            Effect.mapError((error) =>
              /TooLarge/u.test(error.reason._tag)
                ? new TooLarge({ message: `expected a form of at most ${limits.bodyMax} bytes, got more` })
                : invalid("body", `expected multipart/form-data: ${error.message}`)
            )
          )
          const part = form["file"]
          const file = Array.isArray(part) ? part.find(Multipart.isPersistedFile) : undefined
          if (file === undefined)
            return yield* invalid("body.file", "expected a form with a file part named file, got none")
          return yield* keep(project, file.name, createReadStream(file.path))
        })

      const ownFile = Effect.fnUntraced(function* (id: LogFileId) {
        const project = yield* requested
        const file = yield* orUnavailable(files.get(id))
        return yield* orNotFound(file?.project === project ? file : undefined, `a log file of project "${project}"`)
      })

      return handlers
        .handle(
          "upload",
          Effect.fnUntraced(function* ({ query }) {
            const project = yield* requested
            const request = yield* HttpServerRequest.HttpServerRequest
            if ((request.headers["content-type"] ?? "").startsWith("multipart/form-data")) {
              return yield* withScope(fromForm(project, request))
            }
            const { stream } = yield* openBody(limits)
            return yield* keep(project, query.name ?? "upload.log", stream)
          })
        )
        .handle(
          "process",
          Effect.fnUntraced(function* ({ params }) {
            const file = yield* ownFile(params.log_file_id)
            const chain = ProcessLogFile.job({ projectId: file.project, fileId: file.id }).andThen(
              CalculateAnalytics,
              {}
            )
            const id = yield* engine.enqueue(chain, { id: projectTaskId(file.project) }).pipe(
              Effect.mapError((error) => {
                const answer = fromEnqueue(error)
                return answer instanceof Invalid ? unavailable(answer) : answer
              })
            )
            return { task_id: id, status: "queued" as const }
          })
        )
        .handle(
          "file",
          Effect.fnUntraced(function* ({ params }) {
            const file = yield* ownFile(params.log_file_id)
            const analytics = yield* orUnavailable(files.getAnalytics(file.id))
            return { file, analytics: analytics ?? null }
          })
        )
    })
  )

const withScope = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Scope.Scope>> =>
  Effect.scoped(effect)
