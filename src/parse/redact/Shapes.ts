/** Secrets that are known by their shape: keys of known makers, tokens, private keys, credentials in addresses and headers. */
import type { RedactionRule } from "../../domain/Redaction.ts"
import { type Finder, eachMatch, mask } from "./Edit.ts"

/** Rule, what must stand in a text for the pattern to be tried, the pattern. A group, where there is one, ends the match. */
type Shape = readonly [rule: RedactionRule, needle: string, pattern: RegExp]

const vendors: ReadonlyArray<Shape> = [
  ["aws_key", "AKIA", /\bAKIA[A-Z0-9]{16}\b/gu],
  ["aws_key", "ASIA", /\bASIA[A-Z0-9]{16}\b/gu],
  ["gcp_key", "AIza", /\bAIza[\w-]{35}/gu],
  ["gcp_key", "ya29.", /\bya29\.[\w-]{20,2048}/gu],
  ["gcp_key", "GOCSPX-", /\bGOCSPX-[\w-]{20,64}/gu],
  ["azure_key", "Q~", /(?<![\w.~-])[\w.~-]{3}[78]Q~[\w.~-]{31,34}(?![\w.~-])/gu],
  ["stripe_key", "k_", /\b[sr]k_(?:live|test)_\w{16,255}/gu],
  ["stripe_key", "whsec_", /\bwhsec_[\w+/=]{20,255}/gu],
  ["github_token", "gh", /\bgh[pousr]_[A-Za-z0-9]{30,255}/gu],
  ["github_token", "github_pat_", /\bgithub_pat_\w{22,255}/gu],
  ["gitlab_token", "gl", /\bgl(?:pat|ptt|dt|rt|cbt|ft|soat|imt|agent|oas|ffct)-[\w.-]{20,255}/gu],
  ["slack_token", "xox", /\bxox[abeoprs]-[\w-]{10,255}/gu],
  ["slack_token", "xapp-", /\bxapp-\d-[\w-]{10,255}/gu],
  ["slack_token", "hooks.slack.com/", /\bhooks\.slack\.com\/(?:services|workflows|triggers)\/([\w/-]{16,255})/gu],
  ["npm_token", "npm_", /\bnpm_[A-Za-z0-9]{36}\b/gu],
  ["ai_key", "sk-", /\bsk-(?=[\w-]{0,200}\d)[\w-]{20,255}/gu],
  ["ai_key", "gsk_", /\bgsk_[A-Za-z0-9]{40,64}\b/gu],
  ["ai_key", "xai-", /\bxai-[A-Za-z0-9]{60,120}\b/gu],
  ["ai_key", "pplx-", /\bpplx-[A-Za-z0-9]{40,64}\b/gu],
  ["ai_key", "r8_", /\br8_[A-Za-z0-9]{37}\b/gu],
  ["vendor_key", "lg_", /\blg_[\w-]{20,255}/gu],
  ["vendor_key", "hf_", /\bhf_[A-Za-z0-9]{30,64}\b/gu],
  ["vendor_key", "do", /\bdo[opr]_v1_[0-9a-f]{64}\b/gu],
  ["vendor_key", "shp", /\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b/gu],
  ["vendor_key", "dckr_", /\bdckr_[op]at_[\w-]{20,255}/gu],
  ["vendor_key", "pypi-", /\bpypi-AgE[\w-]{50,1024}/gu],
  ["vendor_key", "hvs.", /\bhvs\.[\w-]{20,255}/gu],
  ["vendor_key", "dapi", /\bdapi[0-9a-f]{32}\b/gu],
  ["vendor_key", "key-", /\bkey-[0-9a-f]{32}\b/gu],
  // Atlassian, Linear, New Relic, Grafana, Sentry, Figma, Telegram, Discord, Square, Mailchimp, Postman, Supabase, Doppler,
  // Terraform, Notion
  ["vendor_key", "TT3", /\bAT(?:ATT|CTT|STT)3[\w=-]{40,255}/gu],
  ["vendor_key", "lin_", /\blin_(?:api|oauth)_[A-Za-z0-9]{32,64}\b/gu],
  ["vendor_key", "NR", /\bNR(?:AK|AA|JS|II)-[A-Za-z0-9]{20,64}\b/gu],
  ["vendor_key", "gl", /\bgl(?:sa|c)_[A-Za-z0-9+/=_]{32,255}/gu],
  ["vendor_key", "sntry", /\bsntry[su]_[\w+/=.-]{40,512}/gu],
  ["vendor_key", "figd_", /\bfigd_[\w-]{30,128}/gu],
  ["vendor_key", ":AA", /\b(?:bot)?\d{8,10}:(AA[\w-]{32,35})(?![\w-])/gu],
  ["vendor_key", "/webhooks/", /\bdiscord(?:app)?\.com\/api\/webhooks\/\d{17,20}\/([\w-]{60,80})/gu],
  ["vendor_key", "sq0", /\bsq0(?:atp|csp|idp)-[\w-]{22,43}/gu],
  ["vendor_key", "-us", /\b[0-9a-f]{32}-us\d{1,2}\b/gu],
  ["vendor_key", "PMAK-", /\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}\b/gu],
  ["vendor_key", "sb", /\bsb[ps]_[0-9a-f]{40}\b/gu],
  ["vendor_key", "dp.", /\bdp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,64}/gu],
  ["vendor_key", ".atlasv1.", /\b[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,70}/gu],
  ["vendor_key", "ntn_", /\bntn_[A-Za-z0-9]{40,50}\b/gu],
  ["private_key", "AGE-SECRET-KEY-1", /\bAGE-SECRET-KEY-1[0-9A-Z]{50,64}\b/gu],
  ["connection_string", "AccountKey", /\bAccountKey\s?=\s?([A-Za-z0-9+/=]{16,255})/gu],
  ["connection_string", "SharedAccess", /\bSharedAccess(?:Key|Signature)\s?=\s?([^\s;"']{8,1024})/gu]
]

const shapes =
  (list: ReadonlyArray<Shape>): Finder =>
  (text, on, edits) => {
    for (const [rule, needle, pattern] of list) {
      if (!text.includes(needle) || !on(rule)) continue
      eachMatch(pattern, text, (match, end) =>
        edits.push({ from: end - (match[1] ?? match[0]).length, to: end, text: mask, rule })
      )
    }
  }

export const vendorKeys = shapes(vendors)
export const sendgridKeys = shapes([["sendgrid_key", "SG.", /\bSG\.[\w-]{16,64}\.[\w-]{16,64}/gu]])
export const twilioKeys = shapes([["twilio_key", "SK", /\bSK[0-9a-f]{32}\b/gu]])

const pem =
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)/gu
export const privateKeys = shapes([["private_key", "-----BEGIN ", pem]])

/** The password is all up to the last `@` before the path, so that one with an `@` inside is masked whole. */
const credentials = /:\/\/[^\s/:@?#"'<>]{0,256}:([^\s/"'<>,?#]{1,256})@/gu
export const urlCredentials: Finder = (text, on, edits) => {
  if (!on("url_credentials") || !text.includes("@")) return
  eachMatch(credentials, text, (match, end) => {
    const password = match[1] ?? ""
    if (password !== mask)
      edits.push({ from: end - 1 - password.length, to: end - 1, text: mask, rule: "url_credentials" })
  })
}

const query =
  /(?:[?&]|(?<![\w-])(?=x-(?:amz|goog)-))(sig|signature|(?:[a-z]{2,10}_)?token|x-(?:amz|goog)-(?:signature|security-token|credential)|awsaccesskeyid|key|auth|code|sid|session|jwt|hmac|hapikey|sign)=([^\s&"'<>#\\)[\]]{6,4096})/giu
/** Short names are also used for plain things: their value counts when it looks made by a machine. */
const machineMade = /^(?=[^\s]{0,200}\d)(?=[^\s]{0,200}[A-Za-z])[\w.~%+/=-]{12,}$/u
export const urlQueries: Finder = (text, on, edits) => {
  if (!on("url_query")) return
  eachMatch(query, text, (match, end) => {
    const [, name = "", value = ""] = match
    if (/^(?:key|auth|code|sid|session|sign)$/iu.test(name) && !machineMade.test(value)) return
    edits.push({ from: end - value.length, to: end, text: mask, rule: "url_query" })
  })
}

const bearer = /\bbearer\s{1,3}(?=[^\s"']{0,200}\d)([A-Za-z0-9._~+/=-]{8,4096})/giu
export const bearers: Finder = (text, on, edits) => {
  if (!on("authorization")) return
  eachMatch(bearer, text, (match, end) =>
    edits.push({ from: end - (match[1]?.length ?? 0), to: end, text: mask, rule: "authorization" })
  )
}

const basic = /\bbasic\s{1,3}([A-Za-z0-9+/]{6,1024}={0,2})(?![A-Za-z0-9+/=])/giu
/** user:password in base64, and nothing else: "basic authentication" is neither. */
const isCredentials = (encoded: string): boolean => {
  const plain = Buffer.from(encoded, "base64").toString("latin1")
  return /^[\x20-\x7e\xa0-\xff]*:[\x20-\x7e\xa0-\xff]*$/u.test(plain) && /^[\w.@-]{1,64}:/u.test(plain)
}
export const basics: Finder = (text, on, edits) => {
  if (!on("authorization")) return
  eachMatch(basic, text, (match, end) => {
    const encoded = match[1] ?? ""
    if (isCredentials(encoded)) edits.push({ from: end - encoded.length, to: end, text: mask, rule: "authorization" })
  })
}

const isWord = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95
/** End of the run of base64url characters that begins at `from`. */
const runEnd = (text: string, from: number): number => {
  let i = from
  while (i < text.length && (isWord(text.charCodeAt(i)) || text.charCodeAt(i) === 45)) i++
  return i
}

/**
 * JWTs: three parts between dots, the first beginning with `eyJ`. By hand, since a pattern looks again from each `eyJ` of
 * a part: here one look at a part decides for all of them, as the first `eyJ` of a part is followed by the most.
 */
export const jwts: Finder = (text, on, edits) => {
  if (!on("jwt")) return
  for (let at = text.indexOf("eyJ"); at !== -1;) {
    let next = at + 3
    if (at === 0 || !isWord(text.charCodeAt(at - 1))) {
      next = runEnd(text, next)
      if (next - at >= 8 && text.charCodeAt(next) === 46) {
        const second = runEnd(text, next + 1)
        if (second - next > 5 && text.charCodeAt(second) === 46) {
          next = runEnd(text, second + 1)
          edits.push({ from: at, to: next, text: mask, rule: "jwt" })
        }
      }
    }
    at = text.indexOf("eyJ", next)
  }
}
