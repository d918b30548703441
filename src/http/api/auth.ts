/** The key that a request must carry, as the API's contract says it. How keys are checked stands in ../Auth.ts. */
import { Context } from "effect"
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import type { ApiKey } from "../../domain/Project.ts"
import { Unauthorized, Unavailable } from "../Errors.ts"

/** The key that a request came with. */
export class Principal extends Context.Service<Principal, ApiKey>()("loglytics/http/Principal") {}

/** Lets requests with a good bearer key through, and tells handlers which key it was. */
export class Auth extends HttpApiMiddleware.Service<Auth, { provides: Principal }>()("loglytics/http/Auth", {
  error: [Unauthorized, Unavailable],
  security: { bearer: HttpApiSecurity.bearer }
}) {}
