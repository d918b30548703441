/** Loads a cloud's SDK when a connection first needs it; it is not installed unless a user wants it. */
import { createHash } from "node:crypto"
import { Refused } from "./Paged.ts"

/** Rejects with what to install when the package is not there. */
export const load = async <M>(name: string, module: () => Promise<M>): Promise<M> => {
  try {
    return await module()
  } catch (error) {
    const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined
    if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") throw error
    throw new Refused({ fault: "package", expected: `the package ${name}: npm install ${name}`, got: "none installed" })
  }
}

/** A client per place and credentials, kept for the next poll; the one not used for longest goes when there are too many. */
export const keeper = <C>(max: number) => {
  const kept = new Map<string, Promise<C>>()
  return (key: unknown, make: () => Promise<C>): Promise<C> => {
    const name = createHash("sha256").update(JSON.stringify(key)).digest("base64url")
    const client = kept.get(name) ?? make()
    kept.delete(name)
    kept.set(name, client)
    for (const [oldest] of kept) if (kept.size > max) kept.delete(oldest)
    client.catch(() => kept.delete(name))
    return client
  }
}

/** Clients of one kind that are kept. */
export const clientsMax = 50
