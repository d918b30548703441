/** Takes away what a test has written: every key of a pattern, on whatever kind of Redis a URL names. */
import { once } from "node:events"
import { type Client, connect, masters, tlsOf } from "../../src/streams/Connect.ts"
import { readRedisUrl } from "../../src/streams/RedisUrl.ts"

/** A client of the test's own, ready; of whatever kind the URL names. */
export const openClient = async (text: string, name = "test"): Promise<Client> => {
  const read = readRedisUrl(text)
  if (!read.ok) throw new Error(`expected ${read.expected}, got ${read.got}`)
  const client = connect(read.url, tlsOf(read.url), { name, use: "dedicated" })
  if (client.status !== "ready") await once(client, "ready")
  return client
}

/** Removes the keys that match. */
export const removeKeys = async (url: string, match: string): Promise<void> => {
  const client = await openClient(url)
  for (const node of masters(client)) {
    for await (const keys of node.scanStream({ match, count: 1_000 }) as AsyncIterable<Array<string>>) {
      // One by one: on a Cluster a command's keys share a slot.
      await Promise.all(keys.map((key) => client.unlink(key)))
    }
  }
  client.disconnect()
}
