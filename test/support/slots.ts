/**
 * Holds every test to the rule of a Redis Cluster, whatever server it runs on: the keys of a command, and of a pipeline, lie in
 * one slot, and so do the keys and key prefixes that a script is handed. Looks at the product's own clients (those with a name)
 * and refuses the command; what a script makes of its arguments only a real Cluster can tell.
 */
import { type Command, Pipeline, Redis } from "ioredis"

/** The slot of a key: CRC16 of what stands in its first {}, or of all of it. */
const slotOf = (key: string): number => {
  const [, tag = key] = /\{([^}]+)\}/u.exec(key) ?? []
  let crc = 0
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  }
  return crc & 16_383
}

const isOurs = (client: unknown): boolean => {
  const name = (client as Redis).options?.connectionName
  return typeof name === "string" && name.includes(":")
}

/** The keys of a command; of a script also the prefixes among its arguments, such as `lg:{default}:`. */
const keysOf = (command: Command): ReadonlyArray<string> => {
  const keys = command.getKeys().map(String)
  if (!/^eval/iu.test(command.name)) return keys
  const args = command.args.slice(2 + keys.length).map(String)
  const namespace = keys[0]?.split(":")[0]
  // The settler names the events stream in a queue's script, but only where there is no Cluster: test/cluster shows that.
  const held = keys.filter((key, i) => i === 0 || key !== `${namespace}:events`)
  return [...held, ...args.filter((arg) => arg.endsWith("}:") && arg.startsWith(`${namespace}:{`))]
}

const crossed = (keys: ReadonlyArray<string>, what: string): Error | undefined => {
  const slots = new Set(keys.map((key) => slotOf(key)))
  return slots.size > 1
    ? new Error(`CROSSSLOT ${what}: expected keys of one slot, got ${[...new Set(keys)].join(" ")}`)
    : undefined
}

const send = Reflect.get<Redis, "sendCommand">(Redis.prototype, "sendCommand")
Redis.prototype.sendCommand = function (command, stream) {
  const error = isOurs(this) ? crossed(keysOf(command), command.name) : undefined
  if (error === undefined) return send.call(this, command, stream)
  command.reject(error)
  return command.promise
}

interface Queued {
  readonly _queue: ReadonlyArray<Command>
  readonly redis: unknown
}
type Exec = (this: unknown, ...args: ReadonlyArray<unknown>) => Promise<unknown>
const exec = Reflect.get(Pipeline.prototype, "exec") as unknown as Exec
const guarded: Exec = function (...args) {
  const { _queue: commands, redis } = this as Queued
  const error = isOurs(redis) ? crossed(commands.flatMap(keysOf), "pipeline") : undefined
  return error === undefined ? exec.apply(this, [...args]) : Promise.reject(error)
}
Reflect.set(Pipeline.prototype, "exec", guarded)
