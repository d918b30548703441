/** Uploaded files, with the paths and shapes that users of the former service know. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { FileAnalytics, FileMetadata, LogFile } from "../../domain/LogFile.ts"
import { LogFileId } from "../../domain/Ids.ts"
import { Auth } from "./auth.ts"
import { Invalid, NoSpace, TooBusy, TooLarge } from "../Errors.ts"
import { Decoding, limit, project, projectErrors } from "./common.ts"
import { QueuedTask } from "./tasks.ts"

export class FilesGroup extends HttpApiGroup.make("files")
  .add(
    HttpApiEndpoint.post("upload", "/logs/upload", {
      query: { name: Schema.optionalKey(Schema.String), project },
      success: LogFile.pipe(HttpApiSchema.status(201)),
      error: [...projectErrors, Invalid, TooLarge, NoSpace]
    })
      .annotate(OpenApi.Summary, "Upload a log file")
      .annotate(
        OpenApi.Description,
        "Body: the file itself, its name as ?name=, or multipart/form-data with a part `file`. It goes to disk as it comes; " +
          "gzip and zstd are kept as sent and read through when the file is processed."
      ),
    HttpApiEndpoint.post("process", "/logs/process/:log_file_id", {
      params: { log_file_id: LogFileId },
      success: QueuedTask,
      error: [...projectErrors, TooBusy]
    }).annotate(
      OpenApi.Summary,
      "Parse and store an uploaded file's lines, then find what it is made of and calculate its analytics"
    ),
    HttpApiEndpoint.get("file", "/logs/files/:log_file_id", {
      params: { log_file_id: LogFileId },
      success: Schema.Struct({
        file: LogFile,
        analytics: Schema.NullOr(FileAnalytics),
        metadata: Schema.NullOr(FileMetadata)
      }),
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "An uploaded file and what its processing found"),
    HttpApiEndpoint.get("files", "/logs/files", {
      query: { limit: limit(1_000), project },
      success: Schema.Array(LogFile),
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "Uploaded files, newest first; 100 where no limit is given"),
    HttpApiEndpoint.delete("removeFile", "/logs/files/:log_file_id", {
      params: { log_file_id: LogFileId },
      success: HttpApiSchema.NoContent,
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "Remove an uploaded file from disk; the lines that were stored of it stay")
  )
  .middleware(Auth)
  .middleware(Decoding) {}
