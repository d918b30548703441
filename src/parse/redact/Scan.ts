/**
 * One pass over a text that says which rules it may concern, so that a line without secrets costs little. It looks at every
 * three neighbouring characters, letters in one case and digits alike. It may suspect too much, never too little.
 */

/** Groups of rules that are suspected together, one bit each. */
export const groups = {
  named: 1,
  bearer: 2,
  url: 4,
  pem: 8,
  jwt: 16,
  vendor: 32,
  card: 64,
  email: 128,
  query: 256,
  sendgrid: 512,
  twilio: 1_024,
  cli: 2_048,
  basic: 4_096,
  /** Rules without three characters of their own: suspected always, so only for those that are off by default. */
  rest: 8_192
} as const

const other = 0
const digit = 27
const hyphen = 28
const underscore = 29
/** `@`, `?` and `&`: what stands before them says nothing. */
const sign = 30
const slash = 31

/** Class of a character below 128. */
const classes = new Uint8Array(128)
for (let i = 0; i < 26; i++) classes[97 + i] = classes[65 + i] = i + 1
for (let i = 48; i < 58; i++) classes[i] = digit
classes[45] = hyphen
classes[95] = underscore
for (const char of "@?&") classes[char.charCodeAt(0)] = sign
classes[47] = slash

const grams = new Uint16Array(32_768)
const index = (a: number, b: number, c: number): number => (a << 10) | (b << 5) | c

/** Three characters each; `9` is any digit, `.` any character that is no letter, digit or one of `-_@?&/`. */
const known: Readonly<Record<string, string>> = {
  named: "pas pwd ecr tok key riz coo ede otp cvv cvc nid sid",
  bearer: "rer",
  url: ".//",
  pem: "---",
  jwt: "eyj",
  vendor:
    "aki asi aiz ya9 csp 9q. sk_ rk_ hse ghp gho ghu ghs ghr b_p lpa lpt gld glr glc glf gls gli gla glo xox xap sla sk- pm_ " +
    "hf_ op_ hpa hps hpc dck pyp hvs dap lg_ ey- ntk ssk sss t-k gsk xai plx r9_ " +
    "tt9 n_a n_o ak- raa rjs rii lsa lc_ rys ryu gd_ .aa bho q9a q9c q9i -us sbp sbs dp. asv tn_",
  query: "mz- og-",
  sendgrid: "sg.",
  twilio: "sk9 ska skb skc skd ske skf",
  cli: "mys pas s-c url fie",
  basic: "asi"
}
for (const [group, list] of Object.entries(known)) {
  for (const gram of list.split(" ")) {
    const [a = 0, b = 0, c = 0] = gram.split("").map((char) => (char === "." ? other : classes[char.charCodeAt(0)]!))
    grams[index(a, b, c)]! |= groups[group as keyof typeof groups]
  }
}
for (let i = 0; i < 1_024; i++) grams[(i << 5) | sign]! |= groups.email | groups.query

/** Digits in a row, with single blanks or hyphens between, from which a text may hold a card number. */
const cardDigits = 14

/** The groups that the text may concern, as bits. */
export const scan = (text: string): number => {
  let found = 0
  let gram = 0
  let digits = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const kind = code < 128 ? classes[code]! : other
    gram = ((gram << 5) | kind) & 32_767
    found |= grams[gram]!
    if (kind === digit) {
      if (++digits === cardDigits) found |= groups.card
    } else if (code !== 32 && code !== 45) digits = 0
  }
  return found
}
