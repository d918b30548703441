/** One line or more of every format with what must come out of it; times as ISO, attributes as a part of all. */
import type { Level } from "../../src/domain/Level.ts"

export interface Example {
  readonly format: string
  readonly line: string
  readonly time?: string
  readonly level?: Level
  readonly service?: string
  readonly message?: string
  readonly traceId?: string
  readonly spanId?: string
  readonly attributes?: Readonly<Record<string, unknown>>
}

const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
const json = (value: unknown): string => JSON.stringify(value)

const loggers: ReadonlyArray<Example> = [
  {
    format: "json",
    line: json({
      level: 50,
      time: 1617200000123,
      pid: 7,
      hostname: "h",
      msg: "boom",
      err: { type: "TypeError", message: "x", stack: "TypeError: x\n at a" }
    }),
    time: "2021-03-31T14:13:20.123Z",
    level: "error",
    message: "boom",
    attributes: {
      "process.pid": 7,
      "host.name": "h",
      "exception.type": "TypeError",
      "exception.message": "x",
      "exception.stacktrace": "TypeError: x\n at a"
    }
  },
  {
    format: "json",
    line: json({ name: "app", hostname: "h", pid: 1, level: 40, msg: "slow", time: "2012-02-03T18:12:57.534Z", v: 0 }),
    time: "2012-02-03T18:12:57.534Z",
    level: "warn",
    service: "app",
    attributes: { v: 0, "host.name": "h" }
  },
  {
    format: "json",
    line: json({
      level: "error",
      message: "no",
      timestamp: "2024-01-02T03:04:05.678Z",
      service: "pay",
      stack: "Error: no\n at b",
      "dd.trace_id": "123456789"
    }),
    level: "error",
    service: "pay",
    attributes: { "exception.stacktrace": "Error: no\n at b", "dd.trace_id": "123456789" }
  },
  {
    format: "json",
    line: json({
      "@timestamp": "2024-01-02T03:04:05Z",
      "log.level": "ERROR",
      message: "m",
      "service.name": "s",
      "trace.id": trace,
      "error.type": "T",
      "error.stack_trace": "st"
    }),
    level: "error",
    service: "s",
    traceId: trace,
    attributes: { "exception.type": "T", "exception.stacktrace": "st" }
  },
  {
    format: "json",
    line: json({
      version: "1.1",
      host: "h",
      short_message: "short",
      full_message: "short\nlong",
      timestamp: 1385053862.3072,
      level: 1,
      _user_id: 9001
    }),
    time: "2013-11-21T17:11:02.307Z",
    level: "fatal",
    message: "short\nlong",
    attributes: { "host.name": "h", user_id: 9001 }
  },
  {
    format: "json",
    line: json({
      __REALTIME_TIMESTAMP: "1617200000123456",
      PRIORITY: "4",
      MESSAGE: "disk low",
      SYSLOG_IDENTIFIER: "smartd",
      _PID: "77",
      _HOSTNAME: "h"
    }),
    time: "2021-03-31T14:13:20.123Z",
    level: "warn",
    service: "smartd",
    message: "disk low",
    attributes: { "process.pid": 77, "host.name": "h" }
  },
  {
    format: "json",
    line: json({
      eventVersion: "1.08",
      eventTime: "2023-07-19T21:17:28Z",
      eventSource: "ec2.amazonaws.com",
      eventName: "StopInstances",
      awsRegion: "us-east-1",
      sourceIPAddress: "192.0.2.0",
      userAgent: "aws-cli",
      userIdentity: { userName: "Mary" },
      errorCode: "AccessDenied",
      errorMessage: "no"
    }),
    time: "2023-07-19T21:17:28.000Z",
    level: "warn",
    service: "ec2.amazonaws.com",
    message: "ec2.amazonaws.com StopInstances AccessDenied: no",
    attributes: {
      "client.address": "192.0.2.0",
      "cloud.region": "us-east-1",
      "user.name": "Mary",
      "event.name": "StopInstances",
      "user_agent.original": "aws-cli"
    }
  },
  {
    format: "json",
    line: json({
      insertId: "a",
      severity: "ERROR",
      jsonPayload: { message: "bad", n: 1 },
      resource: { type: "k8s_container", labels: { pod_name: "p", namespace_name: "n", container_name: "c" } },
      timestamp: "2024-01-02T03:04:05.6Z",
      trace: `projects/p/traces/${trace}`,
      spanId: "00f067aa0ba902b7",
      httpRequest: {
        requestMethod: "GET",
        requestUrl: "https://h/x?a=1",
        status: 500,
        remoteIp: "1.2.3.4",
        latency: "0.25s"
      }
    }),
    time: "2024-01-02T03:04:05.600Z",
    level: "error",
    service: "c",
    message: "bad",
    traceId: trace,
    spanId: "00f067aa0ba902b7",
    attributes: {
      n: 1,
      "k8s.pod.name": "p",
      "http.response.status_code": 500,
      "client.address": "1.2.3.4",
      "url.path": "/x",
      duration_ms: 250
    }
  },
  {
    format: "json",
    line: json({
      time: "2024-01-02T03:04:05.6Z",
      resourceId: "/SUBSCRIPTIONS/S/PROVIDERS/MICROSOFT.WEB/SITES/SHOP",
      category: "AppServiceHTTPLogs",
      operationName: "Get",
      level: "Error",
      callerIpAddress: "1.2.3.4",
      durationMs: "12",
      properties: { message: "failed" }
    }),
    level: "error",
    service: "SHOP",
    message: "failed",
    attributes: { "client.address": "1.2.3.4", duration_ms: 12, "event.name": "Get" }
  },
  {
    format: "json",
    line: json({
      time: "2024-01-02T03:04:05.6Z",
      type: "platform.report",
      record: { requestId: "r", metrics: { durationMs: 1.5 }, status: "timeout" }
    }),
    level: "error",
    message: "platform.report timeout",
    attributes: { "faas.invocation_id": "r", duration_ms: 1.5 }
  },
  {
    format: "json",
    line: json({ timestamp: "2024-01-02T03:04:05Z", level: "WARN", message: "w", requestId: "r1" }),
    level: "warn",
    attributes: { requestId: "r1" }
  },
  {
    format: "json",
    line: json({ log: '{"level":"error","msg":"inner"}\n', stream: "stderr", time: "2024-01-02T03:04:05.123456789Z" }),
    time: "2024-01-02T03:04:05.123Z",
    level: "error",
    message: "inner",
    attributes: { "log.iostream": "stderr" }
  },
  {
    format: "json",
    line: json({ log: "part", stream: "stdout", time: "2024-01-02T03:04:05Z" }),
    message: "part",
    attributes: { "log.partial": true }
  },
  {
    format: "json",
    line: json({
      level: "info",
      ts: 1646861401.5241024,
      logger: "http.log.access",
      msg: "handled request",
      request: {
        remote_ip: "127.0.0.1",
        method: "GET",
        host: "localhost",
        uri: "/x?y=1",
        proto: "HTTP/2.0",
        headers: { "User-Agent": ["curl/7.82.0"] }
      },
      duration: 0.000929675,
      size: 10900,
      status: 200
    }),
    time: "2022-03-09T21:30:01.524Z",
    attributes: {
      "client.address": "127.0.0.1",
      "url.path": "/x",
      "url.query": "y=1",
      duration_ms: 0.93,
      "user_agent.original": "curl/7.82.0"
    }
  },
  {
    format: "json",
    line: json({
      t: { $date: "2022-07-28T18:00:00.903+02:00" },
      s: "I",
      c: "ACCESS",
      id: 20249,
      ctx: "conn1",
      msg: "Authentication failed",
      attr: { remote: "127.0.0.1:4071" }
    }),
    time: "2022-07-28T16:00:00.903Z",
    service: "ACCESS",
    attributes: { "client.address": "127.0.0.1", "client.port": 4071, "thread.name": "conn1" }
  }
]

const envelopes: ReadonlyArray<Example> = [
  {
    format: "cri",
    line: '2016-10-06T00:17:09.669794202Z stdout F {"level":"warn","msg":"inner"}',
    time: "2016-10-06T00:17:09.669Z",
    level: "warn",
    message: "inner",
    attributes: { "log.iostream": "stdout" }
  },
  {
    format: "cri",
    line: "2016-10-06T00:17:09.669794202+02:00 stderr P half of a",
    time: "2016-10-05T22:17:09.669Z",
    message: "half of a",
    attributes: { "log.iostream": "stderr", "log.partial": true }
  },
  {
    format: "compose",
    line: 'web-1  | time=2024-01-12T22:54:56.307Z level=WARN msg="bad login" client_ip=192.168.0.254',
    time: "2024-01-12T22:54:56.307Z",
    level: "warn",
    service: "web-1",
    message: "bad login",
    attributes: { "container.name": "web-1", "client.address": "192.168.0.254" }
  },
  {
    format: "syslog",
    line: "Feb 12 14:10:21 sd sshd[16378]: Invalid user pascal from 1.2.3.4 port 53502",
    service: "sshd",
    message: "Invalid user pascal from 1.2.3.4 port 53502",
    attributes: {
      "host.name": "sd",
      "process.pid": 16378,
      "client.address": "1.2.3.4",
      "client.port": 53502,
      "user.name": "pascal"
    }
  },
  {
    format: "syslog",
    line: '<134>1 2024-01-02T03:04:05Z h app 1 - [m k="v"] {"msg":"inner","level":"error"}',
    level: "error",
    service: "app",
    message: "inner",
    attributes: { "m.k": "v", "syslog.facility": "local0" }
  }
]

const security: ReadonlyArray<Example> = [
  {
    format: "cef",
    line: "CEF:0|security|threatmanager|1.0|100|Detected a \\| in message.|10|src=10.0.0.1 spt=1232 msg=Detected a threat.\\n No action act=blocked a \\= dst=1.1.1.1 cs1Label=EventID cs1=52b0 request=https://foo.com?id=foo&a=bar",
    level: "fatal",
    service: "threatmanager",
    message: "Detected a threat.\n No action",
    attributes: {
      "source.address": "10.0.0.1",
      "source.port": 1232,
      "event.action": "blocked a =",
      "destination.address": "1.1.1.1",
      EventID: "52b0",
      "url.full": "https://foo.com?id=foo&a=bar",
      "event.name": "Detected a | in message."
    }
  },
  {
    format: "leef",
    line: "LEEF:2.0|Lancope|StealthWatch|1.0|41|^|src=192.0.2.0^dst=172.50.123.1^sev=5^cat=anomaly^srcPort=81^usrName=joe",
    level: "warn",
    service: "StealthWatch",
    attributes: {
      "source.address": "192.0.2.0",
      "destination.address": "172.50.123.1",
      "source.port": 81,
      "user.name": "joe",
      "event.id": "41"
    }
  },
  {
    format: "suricata",
    line: "07/11/2022-10:29:01.860293  [**] [1:2200074:2] SURICATA TCPv4 invalid checksum [**] [Classification: Generic] [Priority: 3] {TCP} 2.57.122.209:28487 -> 172.31.18.55:80",
    time: "2022-07-11T10:29:01.860Z",
    level: "info",
    attributes: {
      "rule.id": 2200074,
      "source.address": "2.57.122.209",
      "destination.port": 80,
      "network.transport": "tcp"
    }
  },
  {
    format: "filterlog",
    line: "53,,,1000000301,em0,match,block,in,4,0x0,,64,420,0,none,6,tcp,460,10.0.2.2,10.0.2.15,53742,22,420,PA,29633380,3617062173,65535,,",
    level: "warn",
    attributes: {
      "source.address": "10.0.2.2",
      "destination.port": 22,
      "event.action": "block",
      "network.tcp.flags": "PA"
    }
  },
  {
    format: "panos",
    line: `1,2023/07/06 08:11:40,016401002737,THREAT,vulnerability,2561,2023/07/06 08:11:40,1.2.3.2,1.2.3.3,1.2.3.2,2.2.2.3,Rule0,,,ssh,vsys123,Untrust,DMZ,vlan.123,aaa.1,to-Test,2023/07/06 08:11:40,238810,23,47094,22,47094,22,0x402400,tcp,reset-both,,SSH Brute(40015),any,high,client-to-server,72041,0x80,Germany,France`,
    time: "2023-07-06T08:11:40.000Z",
    level: "error",
    attributes: {
      "source.address": "1.2.3.2",
      "event.action": "reset-both",
      "threat.id": "SSH Brute(40015)",
      "host.id": "016401002737"
    }
  },
  {
    format: "kernel",
    line: "[50028442.088484] [UFW BLOCK] IN=enp1s0 OUT= MAC=00:08 SRC=195.54.160.107 DST=51.15.166.67 LEN=40 TTL=245 PROTO=TCP SPT=8080 DPT=8123 WINDOW=1024 SYN URGP=0",
    level: "warn",
    service: "kernel",
    attributes: {
      "source.address": "195.54.160.107",
      "destination.port": 8123,
      "network.transport": "tcp",
      "rule.name": "UFW BLOCK",
      "network.flags": ["SYN"]
    }
  },
  {
    format: "auditd",
    line: 'type=USER_LOGIN msg=audit(1684329817.579:2995): pid=27032 uid=0 msg=\'op=login acct="root" exe="/usr/sbin/sshd" hostname=? addr=1.2.3.4 terminal=ssh res=failed\'',
    time: "2023-05-17T13:23:37.579Z",
    level: "warn",
    service: "audit",
    attributes: {
      "audit.type": "USER_LOGIN",
      "audit.id": 2995,
      "user.name": "root",
      "client.address": "1.2.3.4",
      "event.outcome": "failed"
    }
  }
]

const web: ReadonlyArray<Example> = [
  {
    format: "access",
    line: '0.0.0.0 - bob [18/Mar/2023:15:00:00 +0000] "GET /some/path?q=1 HTTP/2.0" 200 12312 "https://10.0.0.1/r" "Mozilla/5.0" 462 0.050 [up-9000] [other-5000] 10.0.50.80:9000 19437 0.049 200 7521',
    time: "2023-03-18T15:00:00.000Z",
    level: "info",
    attributes: {
      "client.address": "0.0.0.0",
      "url.path": "/some/path",
      "url.query": "q=1",
      duration_ms: 50,
      "upstream.name": "up-9000",
      "http.request.id": 7521,
      "user_agent.original": "Mozilla/5.0"
    }
  },
  {
    format: "access",
    line: '[10/Feb/2024:21:23:32 +0100] mx.example.org 192.168.1.100 0.227 "REPORT /dav HTTP/2.0" 207 125 440 - Mozilla/5.0 (Windows NT 10.0)',
    time: "2024-02-10T20:23:32.000Z",
    attributes: {
      "server.address": "mx.example.org",
      "client.address": "192.168.1.100",
      duration_ms: 227,
      "user_agent.original": "Mozilla/5.0 (Windows NT 10.0)"
    }
  },
  {
    format: "npm_access",
    line: '[24/Jan/2022:16:51:02 +0000] - 404 404 - GET http openresty.local "/sdf" [Client 1.2.3.4] [Length 192] [Gzip 3.15] [Sent-to openresty] "Mozilla/5.0" "-"',
    level: "warn",
    attributes: {
      "client.address": "1.2.3.4",
      "server.address": "openresty.local",
      "http.response.body.size": 192,
      gzip_ratio: 3.15,
      "user_agent.original": "Mozilla/5.0"
    }
  },
  {
    format: "nginx_error",
    line: '2021/04/01 13:02:31 [error] 31#31: *1 open() "/x/not-found" failed (2: No such file or directory), client: 172.17.0.1, server: localhost, request: "POST /not-found HTTP/1.1", host: "localhost:8081"',
    time: "2021-04-01T13:02:31.000Z",
    level: "error",
    service: "nginx",
    message: 'open() "/x/not-found" failed (2: No such file or directory)',
    attributes: {
      "client.address": "172.17.0.1",
      "server.address": "localhost",
      "server.port": 8081,
      "http.request.method": "POST",
      "process.pid": 31,
      "nginx.connection": 1
    }
  },
  {
    format: "apache_error",
    line: "[Wed Oct 11 14:32:52.123456 2023] [core:error] [pid 35708:tid 4328636416] [client 72.15.99.187:52032] AH00037: Symbolic link not allowed",
    time: "2023-10-11T14:32:52.123Z",
    level: "error",
    message: "AH00037: Symbolic link not allowed",
    attributes: {
      "client.address": "72.15.99.187",
      "client.port": 52032,
      "process.pid": 35708,
      "thread.id": "4328636416",
      "error.code": "AH00037",
      "apache.module": "core"
    }
  },
  {
    format: "aws_elb",
    line: 'https 2018-07-02T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 200 502 0 57 "GET https://www.example.com:443/p HTTP/1.1" "curl/7.46.0" ECDHE TLSv1.2 arn:aws:tg "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" "arn:cert" 1 2018-07-02T22:22:48.364000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"',
    time: "2018-07-02T22:23:00.186Z",
    traceId: "583372811d84f3d73c47ec4e58577259",
    attributes: {
      "client.address": "192.168.131.39",
      "client.port": 2817,
      "destination.address": "10.0.0.1",
      "url.path": "/p",
      "http.response.status_code": 200,
      duration_ms: 171,
      "aws.elb.target_status_code": 502
    }
  },
  {
    format: "aws_elb",
    line: '2015-05-13T23:39:43.945958Z my-lb 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 500 200 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -',
    time: "2015-05-13T23:39:43.945Z",
    level: "error",
    attributes: { "aws.elb.name": "my-lb", "user_agent.original": "curl/7.38.0" }
  },
  {
    format: "aws_elb",
    line: "tls 2.0 2018-12-20T02:59:40 net/my-nlb/c6e77e28c25b2234 g3d4b5e8bb8464cd 72.21.218.154:51341 172.100.100.185:443 5 2 98 246 - arn:cert - ECDHE-RSA tlsv12 - my.host - - -",
    time: "2018-12-20T02:59:40.000Z",
    attributes: {
      "client.address": "72.21.218.154",
      "destination.port": 443,
      "tls.cipher": "ECDHE-RSA",
      "tls.server_name": "my.host"
    }
  },
  {
    format: "aws_s3",
    line: '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be bkt [06/Feb/2019:00:00:38 +0000] 192.0.2.3 79a59df9 3E57427F3EXAMPLE REST.GET.VERSIONING - "GET /bkt?versioning HTTP/1.1" 200 - 113 - 7 - "-" "S3Console/0.4" - s9lzHYrFp76 SigV4 ECDHE AuthHeader bkt.s3.amazonaws.com TLSV1.2 arn:ap Yes',
    time: "2019-02-06T00:00:38.000Z",
    service: "s3",
    attributes: {
      "aws.s3.bucket": "bkt",
      "client.address": "192.0.2.3",
      "http.response.status_code": 200,
      duration_ms: 7,
      "user_agent.original": "S3Console/0.4"
    }
  },
  {
    format: "aws_vpc_flow",
    line: "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 REJECT OK",
    time: "2014-12-14T04:06:50.000Z",
    level: "warn",
    attributes: {
      "source.address": "172.31.16.139",
      "destination.port": 22,
      "network.transport": "tcp",
      "event.action": "REJECT",
      "cloud.account.id": "123456789010"
    }
  },
  {
    format: "haproxy",
    line: '192.168.1.1:55032 [04/Apr/2024:14:30:18.885] front~ back/web 0/0/0/169/169 404 1541 - - ---- 5715/616/96/15/0 0/0 {a|b c} "GET /x HTTP/1.1"',
    time: "2024-04-04T14:30:18.885Z",
    level: "warn",
    attributes: {
      "client.address": "192.168.1.1",
      "haproxy.backend": "back",
      "haproxy.server": "web",
      duration_ms: 169,
      "url.path": "/x"
    }
  },
  {
    format: "squid",
    line: "1286536309.586    921 192.168.0.68 TCP_MISS/200 507 POST http://rcv.example/a - DIRECT/1.2.3.4 text/xml",
    time: "2010-10-08T11:11:49.586Z",
    attributes: {
      "client.address": "192.168.0.68",
      duration_ms: 921,
      "url.full": "http://rcv.example/a",
      "squid.result": "TCP_MISS"
    }
  },
  {
    format: "w3c",
    line: "2024-01-02 03:04:05 10.0.0.1 GET /default.aspx a=1 443 - 1.2.3.4 Mozilla/5.0+(Windows) - 500 0 64 15",
    time: "2024-01-02T03:04:05.000Z",
    level: "error",
    attributes: {
      "client.address": "1.2.3.4",
      "server.port": 443,
      "url.path": "/default.aspx",
      "user_agent.original": "Mozilla/5.0 (Windows)",
      duration_ms: 15
    }
  },
  {
    format: "couchdb",
    line: "[notice] 2024-01-20T13:54:06.579985Z nonode@nohost <0.17607.12> e1fed412f8 test.domain.fr 1.2.3.4 bob GET /z22ctc 404 ok 1",
    level: "warn",
    attributes: { "client.address": "1.2.3.4", "user.name": "bob", "url.path": "/z22ctc", duration_ms: 1 }
  }
]

const servers: ReadonlyArray<Example> = [
  {
    format: "gin",
    line: '[GIN] 2024/01/02 - 03:04:05 | 404 |     1.234ms |   192.168.1.5 | GET      "/api/x"',
    time: "2024-01-02T03:04:05.000Z",
    level: "warn",
    attributes: { "client.address": "192.168.1.5", "url.path": "/api/x", duration_ms: 1.234 }
  },
  {
    format: "klog",
    line: "I0505 17:59:40.692994   28133 klog.go:70] hello from klog",
    time: "2026-05-05T17:59:40.692Z",
    level: "info",
    message: "hello from klog",
    attributes: { "thread.id": 28133, "code.file.path": "klog.go", "code.line.number": 70 }
  },
  {
    format: "postgres",
    line: '2023-03-12 11:17:28.425 UTC [53962] zysk@postgres FATAL:  password authentication failed for user "zysk"',
    time: "2023-03-12T11:17:28.425Z",
    level: "fatal",
    service: "postgres",
    message: 'password authentication failed for user "zysk"',
    attributes: { "process.pid": 53962, "user.name": "zysk", "db.namespace": "postgres" }
  },
  {
    format: "postgres",
    line: "2023-03-12 11:17:28.425 UTC [12] LOG:  duration: 12.345 ms  statement: select 1",
    level: "info",
    attributes: { duration_ms: 12.345 }
  },
  {
    format: "mysql",
    line: "2021-10-28T08:06:45.411498Z 25 [Note] [MY-010926] [Server] Access denied for user 'seb'@'42.42.42.42' (using password: NO)",
    time: "2021-10-28T08:06:45.411Z",
    level: "info",
    attributes: { "user.name": "seb", "client.address": "42.42.42.42", "error.code": "MY-010926", "thread.id": 25 }
  },
  {
    format: "mysql",
    line: "# Time: 2021-10-28T08:06:45.411498Z\n# User@Host: root[root] @ localhost [127.0.0.1]  Id:     8\n# Query_time: 2.500000  Lock_time: 0.000000 Rows_sent: 1  Rows_examined: 0\nSET timestamp=1635408405;\nSELECT sleep(2);",
    time: "2021-10-28T08:06:45.411Z",
    level: "warn",
    attributes: {
      duration_ms: 2500,
      "user.name": "root",
      "client.address": "127.0.0.1",
      "db.query.text": "SELECT sleep(2);"
    }
  },
  {
    format: "exim",
    line: '2022-06-29 15:33:46 H=test.com [1.2.3.4]:53343 F=<info@test.com> rejected RCPT <toto@toto.com>: "JunkMail"',
    time: "2022-06-29T15:33:46.000Z",
    level: "warn",
    attributes: {
      "client.address": "1.2.3.4",
      "client.port": 53343,
      "mail.from": "info@test.com",
      "mail.to": "toto@toto.com",
      "source.domain": "test.com"
    }
  },
  {
    format: "exchange",
    line: "2022-07-20T21:12:06.270Z,EX\\Default,08DA4F7C11473A60,9,192.168.9.241:25,192.168.9.212:53722,>,535 5.7.3 Authentication unsuccessful,",
    time: "2022-07-20T21:12:06.270Z",
    level: "warn",
    attributes: {
      "client.address": "192.168.9.212",
      "server.port": 25,
      "smtp.response.code": 535,
      "smtp.response.message": "Authentication unsuccessful"
    }
  },
  {
    format: "dovecot",
    line: "imap-login: Disconnected (auth failed, 1 attempts in 6 secs): user=<toto@toto.com>, method=PLAIN, rip=1.1.1.1, lip=7.7.7.7, TLS",
    attributes: {
      "client.address": "1.1.1.1",
      "server.address": "7.7.7.7",
      "user.name": "toto@toto.com",
      "event.reason": "Disconnected (auth failed, 1 attempts in 6 secs)"
    }
  },
  {
    format: "logfmt",
    line: `time="2024-01-02T03:04:05Z" level=error msg="it broke" host=h traceparent=00-${trace}-00f067aa0ba902b7-01`,
    time: "2024-01-02T03:04:05.000Z",
    level: "error",
    message: "it broke",
    traceId: trace,
    spanId: "00f067aa0ba902b7",
    attributes: { "host.name": "h" }
  }
]

const plain: ReadonlyArray<Example> = [
  {
    format: "plain",
    line: "2024-01-02 03:04:05.678  WARN 7 --- [nio-8080-exec-1] o.s.web.Foo  : slow",
    level: "warn",
    service: "o.s.web.Foo",
    attributes: { "process.pid": 7, "thread.name": "nio-8080-exec-1" }
  },
  {
    format: "plain",
    line: "[2024-01-02T03:04:05,678][WARN ][o.e.c.DiskThresholdMonitor] [node-1] high disk watermark",
    level: "warn",
    service: "o.e.c.DiskThresholdMonitor",
    attributes: { "host.name": "node-1" }
  },
  {
    format: "plain",
    line: "2024-01-02 03:04:05,678 - myapp.db - ERROR - boom",
    level: "error",
    service: "myapp.db",
    attributes: {}
  },
  {
    format: "plain",
    line: "[2024-01-02T03:04:05Z ERROR my_crate] boom",
    level: "error",
    service: "my_crate",
    attributes: {}
  },
  {
    format: "plain",
    line: "2024-01-02T03:04:05.678Z  WARN my_crate::server: request failed status=500 user=bob",
    level: "warn",
    service: "my_crate::server",
    attributes: { "http.response.status_code": 500, "user.name": "bob" }
  },
  {
    format: "plain",
    line: "[2024-01-02 03:04:05,678] INFO [KafkaServer id=0] started (kafka.server.KafkaServer)",
    level: "info",
    service: "kafka.server.KafkaServer",
    attributes: {}
  },
  {
    format: "plain",
    line: "[2024-01-02 03:04:05 +0000] [7] [INFO] Starting gunicorn 20.1.0",
    level: "info",
    service: "",
    attributes: { "process.pid": 7 }
  },
  {
    format: "plain",
    line: "2024-01-02 03:04:05,678 fail2ban.actions        [123]: NOTICE  [sshd] Ban 1.2.3.4",
    level: "info",
    service: "fail2ban.actions",
    attributes: { "process.pid": 123, "fail2ban.jail": "sshd" }
  },
  {
    format: "plain",
    line: "2024/01/02 03:04:05 main.go:12: hello",
    level: "unknown",
    service: "",
    attributes: { "code.file.path": "main.go", "code.line.number": 12 }
  },
  {
    format: "plain",
    line: "[2026-02-05 12:34:56] local.ERROR: boom",
    level: "error",
    service: "local",
    attributes: {}
  },
  {
    format: "plain",
    line: `2023-04-06T09:05:54,991Z [http-nio-8080-exec-9] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt from [127.0.0.1, 127.0.0.2] for user "test" failed.`,
    time: "2023-04-06T09:05:54.991Z",
    level: "warn",
    attributes: { "client.address": "127.0.0.1", "user.name": "test" }
  },
  {
    format: "plain",
    line: 'INFO:     127.0.0.1:52782 - "POST /login?x=1 HTTP/1.1" 401 Unauthorized',
    level: "info",
    attributes: {
      "network.peer.address": "127.0.0.1",
      "http.request.method": "POST",
      "url.path": "/login",
      "http.response.status_code": 401
    }
  },
  {
    format: "ruby",
    line: 'I, [2024-01-02T03:04:05.678901 #7]  INFO -- : [c0ffee] Started GET "/users/1" for 10.1.2.3 at 2024-01-02 03:04:05 +0000',
    level: "info",
    message: '[c0ffee] Started GET "/users/1" for 10.1.2.3 at 2024-01-02 03:04:05 +0000',
    attributes: { "client.address": "10.1.2.3", "http.request.method": "GET", "url.path": "/users/1" }
  },
  {
    format: "plain",
    line: `2024-01-02 03:04:05.678 ERROR [main] c.e.App : it broke trace_id=${trace} span_id=00f067aa0ba902b7`,
    level: "error",
    traceId: trace,
    spanId: "00f067aa0ba902b7"
  },
  {
    format: "plain",
    line: "2021-05-28 18:08:01,124 mantis proftpd[498625] mantis (192.168.1.142[192.168.1.142]): USER asd: no such user found from 192.168.1.142",
    service: "proftpd",
    attributes: { "host.name": "mantis", "process.pid": 498625, "client.address": "192.168.1.142" }
  }
]

export const examples: ReadonlyArray<Example> = [...loggers, ...envelopes, ...security, ...web, ...servers, ...plain]
