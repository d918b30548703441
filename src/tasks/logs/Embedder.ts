/** The provider of vectors, where one is set; without one all vectors are made here, by analytics/Embeddings.ts. */
import { Context, type Effect, Layer } from "effect"
import { type EmbeddingEndpoint, type EmbeddingError, embeddings } from "../../ingest/EmbeddingProvider.ts"

export interface Provider {
  /** As kept beside each vector and told in answers. */
  readonly model: string
  /** The vectors of at most 64 texts, in their order. */
  readonly embed: (
    texts: ReadonlyArray<string>,
    timeoutMs: number
  ) => Effect.Effect<ReadonlyArray<Float32Array>, EmbeddingError>
}

export class Embedder extends Context.Service<Embedder, { readonly provider: Provider | undefined }>()(
  "loglytics/tasks/Embedder"
) {
  static readonly layer = (endpoint: EmbeddingEndpoint | undefined) =>
    Layer.succeed(Embedder, {
      provider: endpoint && {
        model: endpoint.model,
        embed: (texts, timeoutMs) => embeddings(endpoint, texts, timeoutMs)
      }
    })
}
