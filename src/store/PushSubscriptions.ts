/**
 * Browsers and devices that get push messages of a project, and the VAPID key of this installation. Promises that addresses and
 * the private key lie sealed, that one address is kept once per project, and that the key is made once for all processes.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { createECDH, createHash } from "node:crypto"
import type { ProjectId } from "../domain/Ids.ts"
import type { PushSubscription, PushTarget } from "../domain/Push.ts"
import { Database, type StoreError } from "./Database.ts"
import { freshId } from "./ids.ts"
import { Vault, type VaultError } from "./Vault.ts"

/** Subscriptions that a project may have. */
export const subscriptionsMax = 1_000

export interface VapidKeys {
  readonly publicKey: string
  readonly privateKey: string
}

type Address = PushTarget["to"]

export class PushSubscriptions extends Context.Service<
  PushSubscriptions,
  {
    /** Keeps an address; one that is known is kept as it was, with the new person. Undefined where the project is full. */
    readonly add: (
      project: ProjectId,
      to: Address,
      person: string | null
    ) => Effect.Effect<PushSubscription | undefined, StoreError | VaultError>
    /** Oldest first, without what is secret. */
    readonly list: (project: ProjectId) => Effect.Effect<ReadonlyArray<PushSubscription>, StoreError>
    /** With what is needed to reach them. */
    readonly open: (project: ProjectId) => Effect.Effect<ReadonlyArray<PushTarget>, StoreError | VaultError>
    /** By id. False when there was none. */
    readonly remove: (project: ProjectId, id: string) => Effect.Effect<boolean, StoreError>
    /** By its endpoint or token, which is all that a browser knows. False when there was none. */
    readonly removeAddress: (project: ProjectId, address: string) => Effect.Effect<boolean, StoreError>
    /** The key of this installation, made when it is first asked for. */
    readonly keys: Effect.Effect<VapidKeys, StoreError | VaultError>
  }
>()("loglytics/store/PushSubscriptions") {
  static readonly layer = Layer.effect(
    PushSubscriptions,
    Effect.gen(function* () {
      return make(yield* Database, yield* Vault)
    })
  )
}

interface Row {
  readonly id: string
  readonly project: ProjectId
  readonly kind: "web" | "fcm"
  readonly person: string | null
  readonly service: string
  readonly target: Buffer
  readonly secret_key: string
  readonly created_at: Date
}

const fromRow = ({ created_at, id, kind, person, project, service }: Row): PushSubscription => ({
  id,
  project,
  kind,
  person,
  service,
  createdAt: created_at.toISOString()
})

const addressOf = (to: Address): string => ("token" in to ? to.token : to.browser.endpoint)
const hashOf = (address: string): string => createHash("sha256").update(address).digest("hex")
const serviceOf = (to: Address): string => ("token" in to ? "fcm" : (URL.parse(to.browser.endpoint)?.host ?? ""))
const keyId = "vapid"

/** A pair on P-256 as VAPID writes it: base64url of the point and of the number. */
const freshKeys = (): VapidKeys => {
  const pair = createECDH("prime256v1")
  pair.generateKeys()
  return {
    publicKey: pair.getPublicKey().toString("base64url"),
    // The number may be shorter than its 32 bytes.
    privateKey: pair.getPrivateKey("hex").padStart(64, "0")
  }
}

function make(database: Database["Service"], vault: Vault["Service"]): PushSubscriptions["Service"] {
  const belongs = (project: ProjectId, hash: string) => `push subscription ${project} ${hash}`
  const nowIso = Effect.map(Clock.currentTimeMillis, (now) => new Date(now).toISOString())

  const keptKeys = Effect.fnUntraced(function* () {
    const [row] = yield* database.query(
      "push.key",
      (sql) => sql<Array<{ public_key: string; private_key: Buffer; secret_key: string }>>`
        select public_key, private_key, secret_key from push_keys where id = ${keyId}`
    )
    if (row === undefined) return undefined
    const plain = yield* vault.open({ bytes: row.private_key, key: row.secret_key }, `push key ${keyId}`)
    return { publicKey: row.public_key, privateKey: plain.toString("base64url") }
  })

  const keys = Effect.gen(function* () {
    const kept = yield* keptKeys()
    if (kept !== undefined) return kept
    const { privateKey, publicKey } = freshKeys()
    const sealed = yield* vault.seal(Buffer.from(privateKey, "hex"), `push key ${keyId}`)
    const now = yield* nowIso
    // Of many processes that make one at once, the first wins.
    yield* database.query(
      "push.makeKey",
      (sql) => sql`
        insert into push_keys (id, public_key, private_key, secret_key, created_at)
        values (${keyId}, ${publicKey}, ${sealed.bytes}, ${sealed.key}, ${now}::text::timestamptz) on conflict (id) do nothing`
    )
    const made = yield* keptKeys()
    return made ?? (yield* Effect.die(new Error("expected the push key that was just kept, got none")))
  })

  return PushSubscriptions.of({
    keys,
    add: Effect.fnUntraced(function* (project, to, person) {
      const hash = hashOf(addressOf(to))
      const id = yield* freshId("ps")
      const now = yield* nowIso
      const sealed = yield* vault.seal(Buffer.from(JSON.stringify(to)), belongs(project, hash))
      const rows = yield* database.query(
        "push.add",
        (sql) => sql<Array<Row>>`
          insert into push_subscriptions (id, project, kind, address_hash, person, service, target, secret_key, created_at)
          select ${id}, ${project}, ${"token" in to ? "fcm" : "web"}, ${hash}, ${person}, ${serviceOf(to)}, ${sealed.bytes},
            ${sealed.key}, ${now}::text::timestamptz
          where (select count(*) from push_subscriptions where project = ${project} and address_hash <> ${hash}) < ${subscriptionsMax}::int
          on conflict (project, address_hash) do update
            set person = excluded.person, target = excluded.target, secret_key = excluded.secret_key
          returning *`
      )
      return rows[0] && fromRow(rows[0])
    }),
    list: (project) =>
      database
        .query(
          "push.list",
          (sql) => sql<Array<Row>>`select * from push_subscriptions where project = ${project} order by created_at, id`
        )
        .pipe(Effect.map((rows) => rows.map(fromRow))),
    open: Effect.fnUntraced(function* (project) {
      const rows = yield* database.query(
        "push.open",
        (sql) => sql<Array<Row & { address_hash: string }>>`
          select * from push_subscriptions where project = ${project} order by created_at, id`
      )
      return yield* Effect.forEach(rows, ({ address_hash, id, person, secret_key, target }) =>
        Effect.map(vault.open({ bytes: target, key: secret_key }, belongs(project, address_hash)), (plain) => ({
          id,
          person,
          to: JSON.parse(plain.toString("utf8")) as Address
        }))
      )
    }),
    remove: (project, id) =>
      database
        .query("push.remove", (sql) => sql`delete from push_subscriptions where id = ${id} and project = ${project}`)
        .pipe(Effect.map(({ count }) => count > 0)),
    removeAddress: (project, address) =>
      database
        .query(
          "push.removeAddress",
          (sql) => sql`delete from push_subscriptions where address_hash = ${hashOf(address)} and project = ${project}`
        )
        .pipe(Effect.map(({ count }) => count > 0))
  })
}
