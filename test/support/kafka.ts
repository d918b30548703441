/** A Kafka broker on loopback: librdkafka's mock cluster inside Debian's kcat, which is the producer of the tests as well. */
import { eventually } from "./eventually.ts"
import { type Missing, type Program, program, run } from "./debian.ts"

export interface Broker {
  readonly address: string
  /** Sends messages to one partition; answers when the broker has them. */
  readonly produce: (
    topic: string,
    partition: number,
    values: ReadonlyArray<string>,
    more?: ReadonlyArray<string>
  ) => Promise<void>
  readonly stop: () => Promise<void>
}

export const kcat = (): Promise<Program | Missing> => program("kcat", "usr/bin/kcat")

/** A topic has four partitions. */
export const startBroker = async (kcatProgram: Program): Promise<Broker> => {
  // A producer that waits for input keeps the cluster alive.
  const mock = ["-X", "test.mock.num.brokers=1", "-d", "mock"]
  const server = run(kcatProgram, ["-P", ...mock, "-b", "127.0.0.1:1", "-t", "unused"])
  const address = await eventually(
    "a mock cluster's address",
    () => /bootstrap\.servers=(\S+)/u.exec(server.output())?.[1],
    30_000
  )
  return {
    address,
    produce: async (topic, partition, values, more = []) => {
      const producer = run(kcatProgram, ["-P", "-b", address, "-t", topic, "-p", String(partition), ...more])
      producer.process.stdin?.end(`${values.join("\n")}\n`)
      const code = await new Promise<number | null>((done) => producer.process.once("exit", done))
      if (code !== 0) throw new Error(`kcat ended with ${code}: ${producer.output()}`)
    },
    stop: server.stop
  }
}
