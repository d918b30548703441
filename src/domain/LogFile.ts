/** An uploaded file, and what its processing found. */
import { Schema } from "effect"
import { LogFileId, ProjectId } from "./Ids.ts"

export const LogFile = Schema.Struct({
  id: LogFileId,
  project: ProjectId,
  name: Schema.String,
  bytes: Schema.Natural,
  status: Schema.Literals(["uploaded", "processing", "processed", "failed"]),
  /** Lines read and stored by the last run of process_log_file. */
  lines: Schema.Natural,
  error: Schema.NullOr(Schema.String),
  createdAt: Schema.String,
  processedAt: Schema.NullOr(Schema.String)
}).annotate({ identifier: "LogFile" })
export type LogFile = typeof LogFile.Type

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
