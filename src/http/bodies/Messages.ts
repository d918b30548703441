/** What the main thread and the one that reads large bodies say to each other. Every question has one answer. */
import type { Asked, Refusal, Reply } from "../../ingest/Protocol.ts"

/** The head of a request as it travels between threads. */
export interface Head extends Pick<Asked, "method" | "path" | "headers"> {
  readonly query: string
}

export type Question =
  | {
      readonly kind: "open"
      readonly head: Head
      readonly bytes: Uint8Array
      readonly now: number
      readonly max: number
      readonly skip: number
    }
  | { readonly kind: "next" }
  | { readonly kind: "accept" }
  | { readonly kind: "accept part"; readonly taken: number; readonly why: Refusal }
  | { readonly kind: "close" }

export interface Ask {
  readonly reading: number
  readonly question: Question
}

export type Answer =
  | { readonly kind: "opened"; readonly parts: boolean }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "lines"; readonly lines: ReadonlyArray<string> | undefined }
  | { readonly kind: "reply"; readonly reply: Reply | undefined }
