/** What a project decides for itself: how long its lines are kept, what is masked in them, and formats of its own. */
import { Schema } from "effect"
import { CustomRedaction, customRulesMax, Redaction } from "./Redaction.ts"

export const retentionDefaultDays = 30
export const formatsMax = 32

const RetentionDays = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3_650 })).annotate({
  description: "days that lines are kept after their arrival, 1 to 3650"
})
/** What it must be made of is the formats' own business; it is tried before it is kept. */
const Formats = Schema.Array(Schema.Record(Schema.String, Schema.Json)).check(Schema.isMaxLength(formatsMax))

export const ProjectSettings = Schema.Struct({
  retentionDays: RetentionDays,
  redaction: Redaction,
  /** Formats that are asked before the built-in ones. */
  formats: Formats
}).annotate({ identifier: "ProjectSettings" })
export type ProjectSettings = typeof ProjectSettings.Type

/** A change: what is left out stays as it is. */
export const ProjectSettingsChange = Schema.Struct({
  retentionDays: Schema.optionalKey(RetentionDays),
  redaction: Schema.optionalKey(
    Schema.Struct({
      /** Rule by rule: those that are not named stay as they are. */
      builtIn: Schema.optionalKey(Redaction.fields.builtIn),
      /** Takes the place of all earlier ones. */
      custom: Schema.optionalKey(Schema.Array(CustomRedaction).check(Schema.isMaxLength(customRulesMax)))
    })
  ),
  /** Takes the place of all earlier ones. */
  formats: Schema.optionalKey(Formats)
}).annotate({ identifier: "ProjectSettingsChange" })
export type ProjectSettingsChange = typeof ProjectSettingsChange.Type

/** What a project has that has said nothing. */
export const defaultSettings: ProjectSettings = {
  retentionDays: retentionDefaultDays,
  redaction: { builtIn: {}, custom: [] },
  formats: []
}

/** Settings with the number of changes that made them: of two, those with the higher number are in force. */
export const KeptSettings = Schema.Struct({ version: Schema.Natural, settings: ProjectSettings })
export type KeptSettings = typeof KeptSettings.Type

/** Settings after a change. Pure. */
export const changed = (before: ProjectSettings, change: ProjectSettingsChange): ProjectSettings => ({
  retentionDays: change.retentionDays ?? before.retentionDays,
  redaction: {
    builtIn: { ...before.redaction.builtIn, ...change.redaction?.builtIn },
    custom: change.redaction?.custom ?? before.redaction.custom
  },
  formats: change.formats ?? before.formats
})
