/**
 * The labelled lines that redaction is measured on: lines with a secret, each with what must not be left of it, and lines
 * without one, which must stay as they are. Secrets are put together here, so that no scanner takes them for real ones.
 */
import { readFileSync } from "node:fs"

export interface Positive {
  readonly line: string
  /** What may not be found in the masked line. */
  readonly secret: string
  readonly rule: string
}

const alphabets = {
  word: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
  hex: "0123456789abcdef",
  base64: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
} as const

let state = 20_261_124
/** Characters by lot, the same in each run. */
const lot = (kind: keyof typeof alphabets, length: number): string =>
  Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return alphabets[kind][Math.floor((state / 2 ** 32) * alphabets[kind].length)]
  }).join("")

const b64 = (text: string): string => Buffer.from(text).toString("base64")

/** Ways in which a line carries a key of some maker. */
const carriers: ReadonlyArray<(key: string) => string> = [
  (key) => `2026-11-24T08:00:00Z ERROR upstream refused ${key}: 401`,
  (key) => `{"level":"info","msg":"loaded","env":{"UPSTREAM":"${key}"}}`,
  (key) => `level=debug msg="calling out" header='x-custom ${key}' attempt=2`
]

/** [rule, the whole key] of each maker. */
const keys: ReadonlyArray<readonly [string, string]> = [
  ["aws_key", `AKIA${lot("upper", 16)}`],
  ["aws_key", `ASIA${lot("upper", 16)}`],
  ["gcp_key", `AIza${lot("word", 35)}`],
  ["gcp_key", `ya29.${lot("word", 60)}`],
  ["gcp_key", `GOCSPX-${lot("word", 28)}`],
  ["azure_key", `${lot("word", 3)}8Q~${lot("word", 34)}`],
  ["stripe_key", `sk_live_${lot("word", 24)}`],
  ["stripe_key", `rk_test_${lot("word", 24)}`],
  ["stripe_key", `whsec_${lot("word", 32)}`],
  ["github_token", `ghp_${lot("word", 36)}`],
  ["github_token", `gho_${lot("word", 36)}`],
  ["github_token", `github_pat_${lot("word", 22)}_${lot("word", 59)}`],
  ["gitlab_token", `glpat-${lot("word", 20)}`],
  ["gitlab_token", `glrt-${lot("word", 20)}`],
  ["slack_token", `xoxb-${lot("hex", 12)}-${lot("hex", 12)}-${lot("word", 24)}`],
  ["slack_token", `xapp-1-A${lot("upper", 10)}-${lot("hex", 32)}`],
  ["sendgrid_key", `SG.${lot("word", 22)}.${lot("word", 43)}`],
  ["twilio_key", `SK${lot("hex", 32)}`],
  ["npm_token", `npm_${lot("word", 36)}`],
  ["ai_key", `sk-${lot("word", 48)}`],
  ["ai_key", `sk-proj-${lot("word", 40)}7`],
  ["ai_key", `sk-ant-api03-${lot("word", 80)}`],
  ["vendor_key", `lg_${lot("word", 32)}`],
  ["vendor_key", `hf_${lot("word", 34)}`],
  ["vendor_key", `dop_v1_${lot("hex", 64)}`],
  ["vendor_key", `shpat_${lot("hex", 32)}`],
  ["vendor_key", `dckr_pat_${lot("word", 27)}`],
  ["ai_key", `gsk_${lot("word", 52)}`],
  ["ai_key", `xai-${lot("word", 80)}`],
  ["ai_key", `pplx-${lot("word", 48)}`],
  ["ai_key", `r8_${lot("word", 37)}`],
  ["vendor_key", `ATATT3xFfGF0${lot("word", 160)}`],
  ["vendor_key", `lin_api_${lot("word", 40)}`],
  ["vendor_key", `NRAK-${lot("upper", 27)}`],
  ["vendor_key", `glsa_${lot("word", 32)}_${lot("hex", 8)}`],
  ["vendor_key", `sntrys_${lot("word", 90)}`],
  ["vendor_key", `figd_${lot("word", 40)}`],
  ["vendor_key", `sq0csp-${lot("word", 43)}`],
  ["vendor_key", `${lot("hex", 32)}-us17`],
  ["vendor_key", `PMAK-${lot("hex", 24)}-${lot("hex", 34)}`],
  ["vendor_key", `sbp_${lot("hex", 40)}`],
  ["vendor_key", `dp.pt.${lot("word", 43)}`],
  ["vendor_key", `${lot("word", 14)}.atlasv1.${lot("word", 67)}`],
  ["vendor_key", `ntn_${lot("word", 46)}`],
  ["vendor_key", `hvs.${lot("word", 24)}`],
  ["vendor_key", `pypi-AgEIcHlwaS5vcmc${lot("word", 60)}`],
  ["private_key", `AGE-SECRET-KEY-1${lot("upper", 58)}`]
]

const [p1, p2, p3, p4] = ["hunter2!", "S3cr3t-Pa55", "correct-horse-battery", "pässw0rt/42"]
const t1 = lot("word", 32)
const t2 = lot("hex", 40)
const t3 = lot("base64", 44)
const jwt = `eyJ${lot("word", 17)}.eyJ${lot("word", 40)}.${lot("word", 43)}`

const telegram = `AA${lot("word", 33)}`
const discord = lot("word", 68)

/** [rule, secret, lines that hold it] */
const said: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
  ["vendor_key", telegram, [`POST https://api.telegram.org/bot123456789:${telegram}/sendMessage 200`]],
  ["vendor_key", discord, [`POST https://discord.com/api/webhooks/123456789012345678/${discord} 204`]],
  ["url_query", t2, [`signed with X-Amz-Signature=${t2} for 900 s`]],
  [
    "password",
    p1,
    [
      `user=bob password=${p1} action=login`,
      `Login with password: ${p1}`,
      `{"user":"bob","password":"${p1}"}`,
      `payload "{\\"user\\":\\"bob\\",\\"password\\":\\"${p1}\\"}"`,
      `Parameters: {"utf8"=>"✓", "user"=>{"name"=>"bob", "password"=>"${p1}"}}`,
      `config {'db_password': '${p1}', 'host': 'db1'}`,
      `DB_PASSWORD=${p1} npm start`,
      `PGPASSWORD=${p1} psql -h db1`,
      `export MYSQL_PWD=${p1}`,
      `userPassword: ${p1}, role: admin`,
      `<user><name>bob</name><password>${p1}</password></user>`,
      `<wsse:Password Type="PasswordText">${p1}</wsse:Password>`,
      `running ./deploy.sh --password ${p1} --host db1`,
      `cmd="tool --db-password=${p1} --verbose"`,
      `mysql -u root -p${p1} app`,
      `sshpass -p ${p1} ssh bob@10.0.0.2`,
      `redis-cli -h r1 -a ${p1} ping`,
      `curl -s -u bob:${p1} https://api.example.com/v1`,
      `Server=db1;Database=app;User Id=sa;Password=${p1};Encrypt=true`,
      `new passwd=${p1}`,
      `passphrase = "${p1}"`
    ]
  ],
  [
    "password",
    p2,
    [
      `POST /login body=user%3Dbob&password=${p2}&remember=1 200`,
      `GET /api?user=bob&pwd=${p2} HTTP/1.1`,
      `form user[password]=${p2}`,
      `ALTER USER app WITH PASSWORD '${p2}'`,
      `CREATE USER 'app'@'%' IDENTIFIED BY '${p2}'`,
      `java -Djavax.net.ssl.keyStorePassword=${p2} -jar app.jar`,
      `spring.datasource.password=${p2}`,
      `Passwort: ${p2}`,
      `smtp auth user=mailer pass=${p2}`,
      `env: DB_PASS=${p2} DB_HOST=db1`,
      `ldap bind password="${p2}"`,
      `{"auth":{"user":"x","pass":"${p2}"}}`,
      `truncated {"password":"${p2}`
    ]
  ],
  [
    "password",
    p3,
    [
      `passwd: "${p3}"`,
      `password => ${p3}`,
      `Config(user=bob, password=${p3}, tls=true)`,
      `vault unsealed with passphrase = ${p3}`
    ]
  ],
  ["password", p4, [`{"passwort":"${p4}"}`, `password='${p4}'`]],
  [
    "secret",
    t1,
    [
      `client_secret=${t1}&grant_type=client_credentials`,
      `{"clientSecret":"${t1}"}`,
      `api_key=${t1}`,
      `apiKey: ${t1}`,
      `X-Api-Key: ${t1}`,
      `{"headers":{"x-api-key":"${t1}"}}`,
      `AWS_SECRET_ACCESS_KEY=${t1}`,
      `aws_secret_access_key = ${t1}`,
      `secret_key_base: ${t1}`.replace("_base", ""),
      `SECRET_KEY='${t1}'`,
      `encryption_key="${t1}"`,
      `signing-key: ${t1}`,
      `GET /v1/items?api_key=${t1}&page=2`,
      `starting with --api-key ${t1}`,
      `webhook secret: ${t1}`,
      `master_key=${t1}`,
      `<apiKey>${t1}</apiKey>`,
      `shared_key => '${t1}'`
    ]
  ],
  [
    "token",
    t2,
    [
      `token=${t2}`,
      `access_token=${t2}&expires_in=3600`,
      `{"refresh_token":"${t2}","scope":"all"}`,
      `"accessToken": "${t2}"`,
      `X-Auth-Token: ${t2}`,
      `csrf_token=${t2}`,
      `GET /callback?id_token=${t2} 302`,
      `slack bot token: ${t2}`,
      `kubectl --token ${t2} get pods`,
      `reset link https://example.com/reset?token=${t2}`,
      `session_token='${t2}'`,
      `NPM_TOKEN=${t2}`,
      `GITHUB_TOKEN: ${t2}`,
      `git clone with authToken=${t2}`
    ]
  ],
  ["token", "482913", [`otp=482913 for user 17`, `{"otp":"482913"}`]],
  [
    "authorization",
    t1,
    [
      `Authorization: Bearer ${t1}9`,
      `authorization="Bearer ${t1}9"`,
      `{"headers":{"Authorization":"Bearer ${t1}9"}}`,
      `> Authorization: token ${t1}`,
      `curl -H 'Authorization: ApiKey ${t1}' https://x.example.com`,
      `Proxy-Authorization: Bearer ${t1}9`,
      `sent bearer ${t1}9 to upstream`,
      `req.headers.authorization=Bearer ${t1}9`
    ]
  ],
  [
    "authorization",
    b64("bob:hunter2"),
    [
      `Authorization: Basic ${b64("bob:hunter2")}`,
      `got header Basic ${b64("bob:hunter2")} from 10.0.0.1`,
      `"authorization":"Basic ${b64("bob:hunter2")}"`
    ]
  ],
  [
    "authorization",
    t2,
    [
      `Authorization: Digest username="bob", realm="x", nonce="1", response="${t2}"`,
      `authorization: AWS4-HMAC-SHA256 Credential=X/20261124/eu/s3, SignedHeaders=host, Signature=${t2}`
    ]
  ],
  [
    "cookie",
    t1,
    [
      `Cookie: sid=${t1}; theme=dark`,
      `Cookie: theme=dark; sid=${t1}`,
      `Set-Cookie: session=${t1}; Path=/; HttpOnly`,
      `{"cookie":"sid=${t1}"}`,
      `GET /app;jsessionid=${t1} HTTP/1.1`,
      `PHPSESSID=${t1}`,
      `connect.sid=${t1}`
    ]
  ],
  [
    "url_credentials",
    p2,
    [
      `connecting to postgres://app:${p2}@db1:5432/app`,
      `REDIS_URL=redis://:${p2}@r1:6379/0`,
      `mongodb+srv://app:${p2}@cluster0.example.net/x`,
      `amqp://guest:${p2}@mq:5672`,
      `fetch https://bob:${p2}@git.example.com/x.git`,
      `proxy http://u:${p2}@10.0.0.9:3128 refused`,
      `smtp://mailer:${p2}@smtp.example.com:587`
    ]
  ],
  ["url_credentials", "p@ss@word1", [`mysql://app:p@ss@word1@db1/app timed out`]],
  [
    "url_query",
    t2,
    [
      `GET /bucket/x.log?X-Amz-Algorithm=AWS4&X-Amz-Signature=${t2} 200`,
      `https://a.blob.core.windows.net/c/x?sv=2024&sig=${t2}&se=2027`,
      `https://storage.googleapis.com/b/o?X-Goog-Signature=${t2}`,
      `/maps?key=${t2}&q=x`,
      `GET /oauth/callback?code=${t2}&state=1`,
      `"GET /hook?auth=${t2}a HTTP/1.1" 200`,
      `/dl?session=${t2}z`
    ]
  ],
  [
    "connection_string",
    t3,
    [
      `DefaultEndpointsProtocol=https;AccountName=logs;AccountKey=${t3}==;EndpointSuffix=core.windows.net`,
      `Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=${t3}=`
    ]
  ],
  [
    "private_key",
    t3,
    [
      `-----BEGIN RSA PRIVATE KEY-----\n${t3}\n-----END RSA PRIVATE KEY-----`,
      `{"private_key":"-----BEGIN PRIVATE KEY-----\\n${t3}\\n-----END PRIVATE KEY-----\\n"}`,
      `wrote -----BEGIN OPENSSH PRIVATE KEY----- ${t3}`,
      `-----BEGIN PGP PRIVATE KEY BLOCK-----\n${t3}`
    ]
  ],
  ["jwt", jwt, [`verified ${jwt}`, `{"assertion":"${jwt}"}`, `GET /?jwt=${jwt}`, `got jwt '${jwt}' for bob`]],
  [
    "slack_token",
    "T0ABCDEF/B0ABCDEF",
    [`POST https://hooks.slack.com/services/T0ABCDEF/B0ABCDEF/${lot("word", 24)} 200`]
  ],
  ["card", "4111 1111 1111 1111", [`paid with 4111 1111 1111 1111`]],
  [
    "card",
    "4111111111111111",
    [`{"card":"4111111111111111"}`, `pan=4111111111111111 amount=10`, `charge 4111111111111111 declined`]
  ],
  ["card", "5555-5555-5555-4444", [`card 5555-5555-5555-4444 expired`]],
  ["card", "378282246310005", [`amex 378282246310005 ok`]],
  ["card", "6011111111111117", [`number: 6011111111111117`]],
  ["card", "3530111333300000", [`jcb,3530111333300000,12/27`]],
  ["card", "2223003122003222", [`mc "2223003122003222"`]],
  ["card", "737", [`{"cvv":"737"}`, `cvc=737`]],
  [
    "email",
    "jane.doe",
    [
      `sent mail to jane.doe@example.com`,
      `user=<jane.doe@example.org>, method=PLAIN`,
      `{"email":"jane.doe@example.com"}`,
      `Failed login for "jane.doe@mail.example.co.uk" from 10.0.0.1`,
      `mailto:jane.doe@example.com`,
      `GET /u?email=jane.doe@example.com 200`,
      `jane.doe+logs@example.com subscribed`,
      `From: Jane <jane.doe@sub.example.com>`,
      `RCPT TO:<jane.doe@example.de> 550`,
      `to=jane.doe@163.com`,
      `author jane.doe@example.io, 3 files`
    ]
  ],
  ["email", "josé.núñez", [`konto josé.núñez@example.es angelegt`]],
  ["email", "info", [`contact info@müller.example`]]
]

export const positives: ReadonlyArray<Positive> = [
  ...keys.flatMap(([rule, secret]) => carriers.map((carry) => ({ line: carry(secret), secret, rule }))),
  ...said.flatMap(([rule, secret, lines]) => lines.map((line) => ({ line, secret, rule })))
]

/** Lines without a secret: 200 and more of our own, in redaction_negatives.txt, and real ones below them. */
export const negatives: ReadonlyArray<string> = readFileSync(
  new URL("redaction_negatives.txt", import.meta.url),
  "utf8"
)
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("# "))
