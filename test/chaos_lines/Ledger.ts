/** What the senders of a run know: every line they sent, by which door, and what they were told of it. */

/** The doors that lines are sent through. */
export type DoorName = "http" | "http once" | "otlp" | "upload"

/** One set of lines that were sent together. */
export interface Sending {
  readonly door: DoorName
  /** The text of each line's message, unique in the run. */
  readonly lines: ReadonlyArray<string>
  /** Those of them that the rule counts. */
  readonly matching: ReadonlyArray<string>
  /** `accepted`: a 2xx came. `unknown`: no answer, or a refusal of a part; the lines may be in or not. */
  readonly told: "accepted" | "unknown"
  /** How often it was sent until it was told so. */
  readonly tries: number
}
