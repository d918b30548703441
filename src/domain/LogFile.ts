/** An uploaded file, and what its processing found. */
import { Schema } from "effect"
import { LogFileId, ProjectId } from "./Ids.ts"

export const LogFile = Schema.Struct({
  id: LogFileId,
  project: ProjectId,
  name: Schema.String,
  bytes: Schema.Natural,
  /** As it lies on disk once compress_log_file has run; null before. */
  compressedBytes: Schema.NullOr(Schema.Natural),
  status: Schema.Literals(["uploaded", "processing", "processed", "failed"]),
  /** Lines read and stored by the last run of process_log_file. */
  lines: Schema.Natural,
  error: Schema.NullOr(Schema.String),
  createdAt: Schema.String,
  processedAt: Schema.NullOr(Schema.String)
}).annotate({ identifier: "LogFile" })
export type LogFile = typeof LogFile.Type

/** What a file is made of, found by extract_log_metadata. */
export const FileMetadata = Schema.Struct({
  fileId: LogFileId,
  /** Events that are read of it: the lines of a stack trace are one, a line that is too long is cut. */
  lines: Schema.Natural,
  bytes: Schema.Natural,
  firstTime: Schema.NullOr(Schema.String),
  lastTime: Schema.NullOr(Schema.String),
  byLevel: Schema.Record(Schema.String, Schema.Natural),
  /** The hundred that come first; the others are counted under `(others)`. */
  byService: Schema.Record(Schema.String, Schema.Natural),
  /** Lines by the format that read them: `json`, `syslog`, … */
  byFormat: Schema.Record(Schema.String, Schema.Natural),
  /** What the bytes are read as; `mixed` where some are no UTF-8. */
  encoding: Schema.Literals(["ascii", "utf-8", "utf-8 with BOM", "utf-16le", "utf-16be", "mixed"]),
  lineEnds: Schema.Struct({ lf: Schema.Natural, crlf: Schema.Natural }),
  /** Whether the last line is ended. */
  endsWithLineEnd: Schema.Boolean,
  /** Bytes of the longest line, and its number from 1. */
  longestLine: Schema.Struct({ bytes: Schema.Natural, line: Schema.Natural }),
  /** Lines longer than what is read as one. */
  tooLong: Schema.Natural
}).annotate({ identifier: "FileMetadata" })
export type FileMetadata = typeof FileMetadata.Type

/** Figures of one file, made by calculate_analytics. */
export const FileAnalytics = Schema.Struct({
  fileId: LogFileId,
  lines: Schema.Natural,
  firstTime: Schema.NullOr(Schema.String),
  lastTime: Schema.NullOr(Schema.String),
  byLevel: Schema.Record(Schema.String, Schema.Natural),
  byService: Schema.Record(Schema.String, Schema.Natural),
  /** error and fatal lines as a share of all, 0 to 1. */
  errorRate: Schema.Finite
}).annotate({ identifier: "FileAnalytics" })
export type FileAnalytics = typeof FileAnalytics.Type
