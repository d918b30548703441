/** The masks that lines pass through before anything is kept: their names, what each masks, and which are on from the start. */
import { Schema } from "effect"

interface About {
  /** What is masked, in words. */
  readonly about: string
  /** Whether a project that says nothing has it. */
  readonly on: boolean
}

/** Every rule that a project can switch, by name. */
export const redactionRules = {
  password: {
    about: "values of password, passwd, passphrase, pwd, pass; command lines and SQL that set one",
    on: true
  },
  secret: { about: "values of secret, client_secret, api_key, access_key, private_key and their like", on: true },
  token: { about: "values of token, access_token, refresh_token, otp and their like", on: true },
  authorization: { about: "Authorization headers, `Bearer …`, `Basic …`", on: true },
  cookie: { about: "Cookie and Set-Cookie headers, session ids of well-known servers", on: true },
  url_credentials: { about: "the password in scheme://user:password@host", on: true },
  url_query: { about: "signatures, keys and codes in query strings", on: true },
  connection_string: { about: "AccountKey=…, SharedAccessKey=…, SharedAccessSignature=…", on: true },
  private_key: { about: "PEM blocks of private keys, age keys", on: true },
  jwt: { about: "JSON web tokens", on: true },
  aws_key: { about: "AWS access key ids and what stands beside them", on: true },
  gcp_key: { about: "Google API keys, OAuth tokens and client secrets", on: true },
  azure_key: { about: "Azure client secrets", on: true },
  stripe_key: { about: "Stripe secret, restricted and webhook keys", on: true },
  github_token: { about: "GitHub tokens", on: true },
  gitlab_token: { about: "GitLab tokens", on: true },
  slack_token: { about: "Slack tokens and webhook addresses", on: true },
  sendgrid_key: { about: "SendGrid API keys", on: true },
  twilio_key: { about: "Twilio API keys", on: true },
  npm_token: { about: "npm tokens", on: true },
  ai_key: { about: "OpenAI, Anthropic and other keys that begin with sk-", on: true },
  vendor_key: {
    about: "keys of Loglytics, Hugging Face, DigitalOcean, Shopify, Docker, PyPI, Vault and others",
    on: true
  },
  card: { about: "payment card numbers whose check digit is right; cvv and cvc", on: true },
  email: { about: "the part of an e-mail address before the @", on: true },
  iban: { about: "bank account numbers (IBAN) whose check digits are right", on: false },
  us_ssn: { about: "social security numbers of the United States", on: false }
} as const satisfies Readonly<Record<string, About>>

export type RedactionRule = keyof typeof redactionRules
export const redactionNames = Object.keys(redactionRules) as ReadonlyArray<RedactionRule>

export const customRulesMax = 64
/** Characters of a custom rule's pattern. */
export const patternMax = 1_024

const oneLine = (max: number) => Schema.String.check(Schema.isMaxLength(max), Schema.isPattern(/^\P{Cc}*$/u))

export const CustomRedaction = Schema.Struct({
  /** Named in previews: lower-case letters, digits, `_` and `-`. */
  name: Schema.String.check(Schema.isPattern(/^[a-z0-9][a-z0-9_-]{0,62}$/u)),
  /** In RE2's syntax: no backreferences, no look-around, so time is linear in the line. */
  pattern: oneLine(patternMax).check(Schema.isNonEmpty()),
  /** `$1` is the first group, `$0` the whole match, `$$` a dollar sign. */
  replacement: oneLine(256)
}).annotate({ identifier: "CustomRedaction" })
export type CustomRedaction = typeof CustomRedaction.Type

const switches = Object.fromEntries(redactionNames.map((name) => [name, Schema.optionalKey(Schema.Boolean)])) as {
  readonly [Name in RedactionRule]: Schema.optionalKey<typeof Schema.Boolean>
}

export const Redaction = Schema.Struct({
  /** What differs from how the rules are from the start. */
  builtIn: Schema.Struct(switches),
  /** Run on what the line says, after the built-in ones have had their say. */
  custom: Schema.Array(CustomRedaction).check(Schema.isMaxLength(customRulesMax))
}).annotate({ identifier: "Redaction" })
export type Redaction = typeof Redaction.Type
