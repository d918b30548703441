/**
 * Seals what must not lie readable in the database: credentials, and lines that are not redacted yet. AES-256-GCM; what a
 * sealed thing belongs to is bound to it, so that it opens nowhere else. The first key seals, the others only open: that is
 * how keys are changed. Promises never to tell a key or what was sealed in an error.
 */
import { Context, Data, Effect, Layer, Redacted } from "effect"
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto"

/** Nothing can be sealed or opened; only a person can help. */
export class VaultError extends Data.TaggedError("VaultError")<{ readonly reason: string }> {
  readonly retryable = false
  override get message(): string {
    return this.reason
  }
}

export interface Sealed {
  readonly bytes: Buffer
  /** Which key it needs. */
  readonly key: string
}

interface Key {
  readonly id: string
  readonly bytes: Buffer
}

const ivBytes = 12
const tagBytes = 16

const keyOf = (text: Redacted.Redacted): Key => {
  const bytes = Buffer.from(hkdfSync("sha256", Redacted.value(text), "", "loglytics vault", 32))
  return { bytes, id: createHash("sha256").update("id\n").update(bytes).digest("hex").slice(0, 12) }
}

/** Pure but for the initialisation vector. */
const sealWith = (key: Key, content: Uint8Array, belongs: string): Sealed => {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv("aes-256-gcm", key.bytes, iv, { authTagLength: tagBytes })
  cipher.setAAD(Buffer.from(belongs))
  const sealed = Buffer.concat([cipher.update(content), cipher.final()])
  return { bytes: Buffer.concat([iv, cipher.getAuthTag(), sealed]), key: key.id }
}

const openWith = (key: Key, bytes: Buffer, belongs: string): Buffer | undefined => {
  if (bytes.length < ivBytes + tagBytes) return undefined
  const decipher = createDecipheriv("aes-256-gcm", key.bytes, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(belongs))
  decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()])
  } catch {
    return undefined
  }
}

export class Vault extends Context.Service<
  Vault,
  {
    /** The key that seals now; undefined when there is none. */
    readonly current: string | undefined
    readonly seal: (content: Uint8Array, belongs: string) => Effect.Effect<Sealed, VaultError>
    readonly open: (sealed: Sealed, belongs: string) => Effect.Effect<Buffer, VaultError>
  }
>()("loglytics/store/Vault") {
  /** Without a key nothing can be sealed; everything else works. */
  static readonly layer = (texts: ReadonlyArray<Redacted.Redacted>) =>
    Layer.sync(Vault, () => {
      const keys = texts.map(keyOf)
      const [first] = keys
      return Vault.of({
        current: first?.id,
        seal: (content, belongs) =>
          first === undefined
            ? Effect.fail(new VaultError({ reason: "expected a key in LOGLYTICS_SECRET_KEY, got none" }))
            : Effect.sync(() => sealWith(first, content, belongs)),
        open: (sealed, belongs) =>
          Effect.suspend(() => {
            const key = keys.find(({ id }) => id === sealed.key)
            if (key === undefined) {
              const known = keys.map(({ id }) => id).join(", ")
              const reason = `expected the key ${sealed.key} in LOGLYTICS_SECRET_KEY, got ${known === "" ? "none" : known}: put it back, or enter the credentials anew`
              return Effect.fail(new VaultError({ reason }))
            }
            const content = openWith(key, sealed.bytes, belongs)
            return content === undefined
              ? Effect.fail(new VaultError({ reason: `what was sealed for ${belongs} was changed since` }))
              : Effect.succeed(content)
          })
      })
    })
}
