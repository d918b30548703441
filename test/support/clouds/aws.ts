/** CloudWatch Logs on loopback: FilterLogEvents over AWS JSON 1.1. Both ends of a window belong to it, as there. */
import { type CloudServer, startCloud } from "./Server.ts"

const error = (status: number, type: string, message: string, headers = {}) => ({
  status,
  body: { __type: type, message },
  headers: { "x-amzn-errortype": type, ...headers }
})

export const startAws = (): Promise<CloudServer> =>
  startCloud({
    type: "application/x-amz-json-1.1",
    fail: (failure) =>
      failure === "throttled"
        ? error(400, "ThrottlingException", "Rate exceeded", { "retry-after": "0.001" })
        : failure === "error"
          ? error(500, "InternalFailure", "try again")
          : failure === "gone"
            ? error(400, "ResourceNotFoundException", "The specified log group does not exist.")
            : error(400, "UnrecognizedClientException", "The security token included in the request is invalid."),
    answer: (cloud, body, request) => {
      if (request.headers["x-amz-target"] !== "Logs_20140328.FilterLogEvents")
        return error(400, "UnknownOperationException", "?")
      const page = cloud.model.page({
        from: Number(body["startTime"]),
        to: Number(body["endTime"]) + 1,
        now: cloud.now,
        limit: Number(body["limit"]),
        token: body["nextToken"] as string | undefined
      })
      if (page === undefined) return error(400, "InvalidParameterException", "The specified nextToken is invalid.")
      const events = page.items.map(({ id, ingested, message, time }) => ({
        eventId: id,
        logStreamName: "stream",
        timestamp: time,
        ingestionTime: ingested,
        message
      }))
      return {
        status: 200,
        body: { events, searchedLogStreams: [], ...(page.token === undefined ? {} : { nextToken: page.token }) }
      }
    }
  })
