/** Handlers of the group `files`: an upload is kept as it comes, processing it is a job. */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { ByteSize, Effect, Stream } from "effect"
import { HttpServerRequest, Multipart } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { randomBytes } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { basename } from "node:path"
import { LogFileId, type ProjectId } from "../../domain/Ids.ts"
import type { LogFile } from "../../domain/LogFile.ts"
import { Engine } from "../../jobs/Engine.ts"
import { type BlobError, Blobs, type BlobTooLarge } from "../../store/Blobs.ts"
import { LogFiles } from "../../store/LogFiles.ts"
import { Projects } from "../../store/Projects.ts"
import { CalculateAnalytics } from "../../tasks/analytics/calculate_analytics.ts"
import { ExtractLogMetadata } from "../../tasks/logs/extract_log_metadata.ts"
import { ProcessLogFile } from "../../tasks/logs/process_log_file.ts"
import { Api } from "../Api.ts"
import { requestProject } from "../Auth.ts"
import { Invalid, invalid, NoSpace, TooLarge, type Unavailable } from "../Errors.ts"
import { projectTaskId } from "./task_ids.ts"
import { fromEnqueue, orNotFound, orUnavailable, unavailable } from "./common.ts"
import { abandon, type IngestLimits, openBody } from "./ingest.ts"

const cleanName = (name: string): string =>
  basename(name.replaceAll("\\", "/"))
    .replace(/\p{Cc}/gu, "")
    .slice(0, 200) || "upload.log"

/** Encodings that are read through when a file is processed; others are unpacked on the way. */
const keptAsSent = ["gzip", "x-gzip", "zstd"]

/** The chunks of a form's part; ends with a failure when the sender goes away, of which a part hears nothing. */
async function* whileSent(message: IncomingMessage, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gone = Promise.withResolvers<never>()
  gone.promise.catch(() => {})
  const hear = (): void => {
    if (!message.complete) gone.reject(new Error("the sender went away"))
  }
  message.once("close", hear)
  const chunks = body[Symbol.asyncIterator]()
  try {
    for (;;) {
      const step = await Promise.race([chunks.next(), gone.promise])
      if (step.done === true) return
      yield step.value
    }
  } finally {
    message.off("close", hear)
    void chunks.return?.()
  }
}

/** Bytes that a form may have beside its file. */
const formRoom = 1_024 * 1_024

/** What is answered when the file was not kept. A sender that went away hears none of it. */
const refusalOf = (error: BlobError | BlobTooLarge): TooLarge | NoSpace | Unavailable => {
  if (error._tag === "BlobTooLarge") return new TooLarge({ message: error.message })
  if (!error.noSpace) return unavailable(error)
  return new NoSpace({
    message: "expected room on the disk for the file, got none: nothing of it was kept; free some or send it elsewhere"
  })
}

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
        const bytes = yield* blobs.write(id, body, limits.bodyMax).pipe(Effect.mapError(refusalOf))
        return yield* files.create({ id, project, name: cleanName(name), bytes }).pipe(
          Effect.tapError(() => Effect.ignore(blobs.remove(id))),
          Effect.mapError(unavailable)
        )
      })

      /** The part `file` of a form, as it arrives; whatever comes beside it is passed over. */
      const fromForm = (project: ProjectId, request: HttpServerRequest.HttpServerRequest, message: IncomingMessage) =>
        Effect.gen(function* () {
          let kept: LogFile | undefined
          yield* request.multipartStream.pipe(
            Stream.mapError((error) =>
              /TooLarge/u.test(error.reason._tag)
                ? new TooLarge({ message: `expected a file of at most ${limits.bodyMax} bytes, got more` })
                : invalid("body", `expected multipart/form-data: ${error.message}`)
            ),
            Stream.runForEach((part) => {
              if (!Multipart.isFile(part)) return Effect.void
              if (part.key !== "file" || kept !== undefined) return Effect.ignore(Stream.runDrain(part.content))
              return Effect.map(
                keep(project, part.name, whileSent(message, Stream.toAsyncIterable(part.content))),
                (file) => {
                  kept = file
                }
              )
            }),
            Effect.provideService(Multipart.MaxFileSize, undefined),
            Effect.provideService(HttpServerRequest.MaxBodySize, ByteSize.bytes(limits.bodyMax + formRoom))
          )
          if (kept !== undefined) return kept
          return yield* invalid("body.file", "expected a form with a file part named file, got none")
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
              const message = NodeHttpServerRequest.toIncomingMessage(request) as IncomingMessage
              return yield* Effect.tapErrorTag(fromForm(project, request, message), "TooLarge", () => abandon(message))
            }
            const { stream } = yield* openBody(limits, keptAsSent)
            // A refused body is left as it is: to destroy it would take the connection along, and the answer.
            const body = stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>
            return yield* Effect.tapErrorTag(keep(project, query.name ?? "upload.log", body), "TooLarge", () =>
              abandon(stream)
            )
          })
        )
        .handle(
          "process",
          Effect.fnUntraced(function* ({ params }) {
            const file = yield* ownFile(params.log_file_id)
            const chain = ProcessLogFile.job({ projectId: file.project, fileId: file.id })
              .andThen(ExtractLogMetadata, {})
              .andThen(CalculateAnalytics, {})
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
            const metadata = yield* orUnavailable(files.getMetadata(file.id))
            return { file, analytics: analytics ?? null, metadata: metadata ?? null }
          })
        )
        .handle(
          "files",
          Effect.fnUntraced(function* ({ query }) {
            return [...(yield* orUnavailable(files.list(yield* requested, query.limit ?? 100)))]
          })
        )
        .handle(
          "removeFile",
          Effect.fnUntraced(function* ({ params }) {
            const file = yield* ownFile(params.log_file_id)
            // The bytes first: a crash in between leaves a file that can be removed again.
            yield* orUnavailable(blobs.remove(file.id))
            yield* orUnavailable(files.remove(file.id))
          })
        )
    })
  )
