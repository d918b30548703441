/**
 * Amazon CloudWatch Logs: one log group by FilterLogEvents. It filters by event time only, answers sorted by it, in pages of
 * at most 1 MB or 10,000 events of which some are empty though more follow. Needs the package
 * @aws-sdk/client-cloudwatch-logs; without keys it signs as the SDK finds them (environment, profile, role of the host).
 */
import { Schema } from "effect"
import type { CloudWatchLogsClient, FilteredLogEvent } from "@aws-sdk/client-cloudwatch-logs"
import type { SentEvent } from "../../domain/SentEvent.ts"
import { checkHost } from "../../outside/Addresses.ts"
import { common, type Item, type Meaning, paged, Refused } from "../Paged.ts"
import { clientsMax, keeper, load } from "../Sdk.ts"

const packageName = "@aws-sdk/client-cloudwatch-logs"
const Text = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(2_048))

const Config = Schema.Struct({
  region: Schema.String.check(
    Schema.isPattern(/^[a-z]{2}(?:-[a-z]+)+-\d$/u, { message: 'expected a region such as "eu-west-1"' })
  ),
  /** Its name, or its ARN where it belongs to another account. */
  log_group: Text,
  stream_prefix: Schema.optionalKey(Text),
  /** In CloudWatch's filter pattern syntax. */
  filter_pattern: Schema.optionalKey(Text),
  /** Another server that speaks this API, or a VPC endpoint. */
  endpoint: Schema.optionalKey(
    Schema.String.check(Schema.isPattern(/^https?:\/\/\S+$/u, { message: "expected an http or https URL" }))
  ),
  ...common
})
type Config = typeof Config.Type

/** None: the SDK looks for some itself. */
const Secrets = Schema.Struct({
  access_key_id: Schema.optionalKey(Text),
  secret_access_key: Schema.optionalKey(Text),
  session_token: Schema.optionalKey(Text)
}).check(
  Schema.makeFilter(
    ({ access_key_id, secret_access_key, session_token }) =>
      ((access_key_id === undefined) === (secret_access_key === undefined) &&
        (session_token === undefined || access_key_id !== undefined)) ||
      "expected access_key_id and secret_access_key, or neither"
  )
)

const places: ReadonlyArray<RegExp> = [
  /^\/aws\/(?:lambda|codebuild|sagemaker|batch|ecs|eks|rds\/(?:instance|cluster)|apigateway|vendedlogs\/states)\/([^/]+)/u,
  /^\/(?:ecs|app|apps|service|services)\/([^/]+)/u
]

/** The service that a log group is likely of: `/aws/lambda/NAME` is NAME's. */
export const serviceOf = (group: string): string | undefined => {
  const name = group.replace(/^arn:[^:]*:logs:[^:]*:[^:]*:log-group:/u, "").replace(/:\*$/u, "")
  for (const place of places) {
    const found = place.exec(name)?.[1]
    if (found !== undefined) return found
  }
  const last = name.split("/").findLast((part) => part !== "")
  return last
}

/** A line that names its service is not contradicted by a guess. */
const namesService = /"(?:service|service\.name|service_name|serviceName)"\s*:/u

/** What CloudWatch says of an event, in our words. */
export const toEvent = (config: Pick<Config, "log_group" | "region">, event: FilteredLogEvent): SentEvent => {
  const line = (event.message ?? "").replace(/\r?\n$/u, "")
  const service = namesService.test(line.slice(0, 4_096)) ? undefined : serviceOf(config.log_group)
  return {
    ...(event.timestamp === undefined ? {} : { time: event.timestamp }),
    ...(service === undefined ? {} : { service }),
    line,
    attributes: {
      "aws.log.group.names": [config.log_group],
      ...(event.logStreamName === undefined ? {} : { "aws.log.stream.names": [event.logStreamName] }),
      "cloud.provider": "aws",
      "cloud.region": config.region
    }
  }
}

const denied =
  /^(?:AccessDenied|UnrecognizedClient|InvalidSignature|ExpiredToken|InvalidClientTokenId|IncompleteSignature|MissingAuthenticationToken|OptInRequired|CredentialsProviderError|TokenProviderError)/u

interface AwsError {
  readonly name: string
  readonly message: string
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> }
}

/** What an error of the SDK means; exported for tests. */
export const meaning = (error: unknown): Meaning | undefined => {
  if (!(error instanceof Error)) return undefined
  const { $metadata, $response, message, name } = error as AwsError
  const got = message === "" ? name : `${name}: ${message}`
  const status = $metadata?.httpStatusCode
  const seconds = Number($response?.headers?.["retry-after"] ?? Number.NaN)
  const retryAfterMs = seconds >= 0 && seconds <= 86_400 ? seconds * 1_000 : undefined
  if (/Throttl|TooManyRequests|LimitExceeded|RequestLimit/u.test(name) || status === 429) {
    return { fault: "throttled", expected: "an answer", got, retryAfterMs }
  }
  // The SDK sets its clock by such an answer, so the next call is signed right.
  if (/Signature (?:expired|not yet current)|RequestTimeTooSkewed|RequestExpired/u.test(got)) {
    return { fault: "unreachable", expected: "a signature of the right time", got }
  }
  if (denied.test(name) || status === 401 || status === 403)
    return { fault: "denied", expected: "the right to logs:FilterLogEvents", got }
  if (name === "ResourceNotFoundException") return { fault: "missing", expected: "a log group that exists", got }
  if (
    name === "InvalidParameterException" ||
    name === "InvalidParameterValueException" ||
    name === "ValidationException"
  ) {
    if (/token/iu.test(message)) return { fault: "token", expected: "a token that is still good", got }
    return { fault: "settings", expected: "settings that CloudWatch takes", got }
  }
  if (status !== undefined && status >= 500) return { fault: "unreachable", expected: "an answer", got, retryAfterMs }
  return undefined
}

const clients = keeper<CloudWatchLogsClient>(clientsMax)

const clientOf = (config: Config, secrets: Readonly<Record<string, string>>) =>
  clients([config.region, config.endpoint, secrets], async () => {
    const { CloudWatchLogsClient: Client } = await load(packageName, () => import("@aws-sdk/client-cloudwatch-logs"))
    const { access_key_id, secret_access_key, session_token } = secrets
    return new Client({
      region: config.region,
      // Retries are the task's: it knows of the cursor and of who else waits.
      maxAttempts: 1,
      ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
      ...(access_key_id === undefined || secret_access_key === undefined
        ? {}
        : {
            credentials: {
              accessKeyId: access_key_id,
              secretAccessKey: secret_access_key,
              ...(session_token === undefined ? {} : { sessionToken: session_token })
            }
          })
    })
  })

export const cloudwatch = paged<Config>({
  kind: "cloudwatch",
  config: Config,
  secrets: Secrets,
  identity: ({ endpoint, filter_pattern, log_group, region, stream_prefix }) =>
    `cloudwatch ${region} ${log_group}${[stream_prefix, filter_pattern, endpoint].map((part) => (part === undefined ? "" : ` ${part}`)).join("")}`,
  account: ({ endpoint, region }) => (endpoint === undefined ? `cloudwatch ${region}` : undefined),
  // Amazon's quota per account and region differs between regions; 5 a second are granted everywhere.
  rate: { perSecond: 5, burst: 10 },
  pageMax: 10_000,
  rescanHours: 24,
  meaning,
  page: async ({ allowPrivate, config, from, limit, secrets, signal, to, token }) => {
    if (config.endpoint !== undefined) await checkHost(new URL(config.endpoint), allowPrivate)
    const client = await clientOf(config, secrets)
    const { FilterLogEventsCommand } = await load(packageName, () => import("@aws-sdk/client-cloudwatch-logs"))
    const command = new FilterLogEventsCommand({
      ...(config.log_group.startsWith("arn:")
        ? { logGroupIdentifier: config.log_group }
        : { logGroupName: config.log_group }),
      startTime: from,
      // Both ends belong to it there.
      endTime: to - 1,
      limit,
      ...(token === undefined ? {} : { nextToken: token }),
      ...(config.stream_prefix === undefined ? {} : { logStreamNamePrefix: config.stream_prefix }),
      ...(config.filter_pattern === undefined ? {} : { filterPattern: config.filter_pattern })
    })
    const answer = await client.send(command, { abortSignal: signal })
    // An answer that is no page must not be taken for an empty one.
    if (answer.events === undefined && answer.nextToken === undefined) {
      throw new Refused({ fault: "unreachable", expected: "a page of events", got: "something else" })
    }
    return {
      items: (answer.events ?? []).map((event): Item => {
        const time = event.timestamp ?? from
        return {
          // An event without an id would be unheard of; its content then names it.
          id: event.eventId ?? JSON.stringify([event.logStreamName, time, event.ingestionTime, event.message]),
          time,
          ingested: event.ingestionTime ?? time,
          event: () => toEvent(config, event)
        }
      }),
      token: answer.nextToken
    }
  }
})
