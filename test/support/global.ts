/**
 * Redis and Postgres for a whole test run, told to the tests as REDIS_URL and DATABASE_URL. Those of the environment are used
 * where they are set; with LOGLYTICS_TEST_CONTAINERS=1 containers serve; else a throwaway pair is started and removed at the end.
 * Each test file takes a key prefix and a schema of its own in them.
 */
import { startThrowaway } from "../../scripts/launch/throwaway.mjs"

interface Servers {
  readonly REDIS_URL: string
  readonly DATABASE_URL: string
  readonly stop: () => Promise<unknown>
}

const containers = async (): Promise<Servers> => {
  const { GenericContainer, Wait } = await import("testcontainers")
  const redis = new GenericContainer("redis:7")
    .withCommand(["redis-server", "--appendonly", "yes", "--maxmemory-policy", "noeviction"])
    .withExposedPorts(6379)
  const postgres = new GenericContainer("postgres:17")
    .withEnvironment({ POSTGRES_PASSWORD: "test" })
    .withExposedPorts(5432)
    // The image starts the server twice; only the second listens on the network.
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/u, 2))
  const [one, two] = await Promise.all([redis.start(), postgres.start()])
  return {
    REDIS_URL: `redis://${one.getHost()}:${one.getMappedPort(6379)}`,
    DATABASE_URL: `postgres://postgres:test@${two.getHost()}:${two.getMappedPort(5432)}/postgres`,
    stop: () => Promise.all([one.stop(), two.stop()])
  }
}

const setup = async () => {
  const { stop, ...urls } = await (process.env["LOGLYTICS_TEST_CONTAINERS"] === "1"
    ? containers()
    : startThrowaway(process.env))
  Object.assign(process.env, urls)
  return async () => {
    await stop()
  }
}

export default setup
