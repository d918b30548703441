/**
 * Lines of many programs as their documentation prints them, with what must come out: beside examples.ts, which has a line or
 * more of every format. Times as ISO, attributes as a part of all.
 */
import type { Example } from "./examples.ts"

const proxies: ReadonlyArray<Example> = [
  {
    format: "aws_elb",
    line: 'h2 2026-03-05T10:11:12.345000Z app/shop-lb/50dc6c495c0c9188 10.20.30.40:5566 10.0.1.9:8081 0.001 2.003 0.000 502 - 412 257 "POST https://shop.example.com:443/cart/items?id=9&x=%20y HTTP/2.0" "okhttp/4.12.0 (Linux; \\"Pixel\\")" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop/73e2d6bc24d8a067 "Root=1-65f0c1aa-0123456789abcdef01234567" "shop.example.com" "arn:aws:acm:eu-west-1:123456789012:certificate/1234" 5 2026-03-05T10:11:10.341000Z "waf,forward" "-" "-" "10.0.1.9:8081" "-" "-" "-" TID_1234abcd',
    time: "2026-03-05T10:11:12.345Z",
    level: "error",
    traceId: "65f0c1aa0123456789abcdef01234567",
    attributes: {
      "client.address": "10.20.30.40",
      "client.port": 5566,
      "destination.address": "10.0.1.9",
      "destination.port": 8081,
      duration_ms: 2004,
      "http.response.status_code": 502,
      "http.response.size": 257,
      "http.request.method": "POST",
      "url.path": "/cart/items",
      "url.query": "id=9&x=%20y",
      "user_agent.original": 'okhttp/4.12.0 (Linux; "Pixel")',
      "tls.protocol.version": "TLSv1.2",
      "aws.elb.target_group_arn":
        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop/73e2d6bc24d8a067",
      "aws.elb.trace_id": "Root=1-65f0c1aa-0123456789abcdef01234567",
      "aws.elb.actions_executed": "waf,forward"
    }
  },
  {
    format: "aws_elb",
    line: 'https 2026-03-05T10:11:12.345000Z app/shop-lb/50dc6c495c0c9188 [2001:db8::1]:40000 - -1 -1 -1 503 - 34 366 "GET https://shop.example.com:443/ HTTP/1.1" "curl/8.5.0" - - arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop/73e2d6bc24d8a067 "Root=1-65f0c1aa-0123456789abcdef01234567" "-" "-" 0 2026-03-05T10:11:12.344000Z "forward" "-" "LambdaInvalidResponse" "-" "-" "-" "-"',
    time: "2026-03-05T10:11:12.345Z",
    level: "error",
    traceId: "65f0c1aa0123456789abcdef01234567",
    attributes: {
      "client.address": "2001:db8::1",
      "client.port": 40000,
      duration_ms: 0,
      "http.response.status_code": 503,
      "http.request.method": "GET",
      "url.path": "/"
    }
  },
  {
    format: "aws_elb",
    line: '2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.001069 0.000028 0.000041 - - 82 57 "- - - " "-" - -',
    time: "2015-05-13T23:39:43.945Z",
    level: "info",
    attributes: {
      "client.address": "192.168.131.39",
      "client.port": 2817,
      "destination.address": "10.0.0.1",
      "destination.port": 80,
      duration_ms: 1.138,
      "http.response.size": 57
    }
  },
  {
    format: "json",
    line: '{"level":"info","ts":1772705472.3072,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"203.0.113.9","remote_port":"4711","client_ip":"203.0.113.9","proto":"HTTP/2.0","method":"GET","host":"ex.com","uri":"/a?b=1","headers":{"User-Agent":["curl/8"]},"tls":{"version":772}},"bytes_read":0,"user_id":"","duration":0.0123,"size":512,"status":200,"resp_headers":{"Server":["Caddy"]}}',
    time: "2026-03-05T10:11:12.307Z",
    level: "info",
    service: "http.log.access.log0",
    attributes: {
      "client.address": "203.0.113.9",
      "client.port": 4711,
      "http.request.method": "GET",
      "server.address": "ex.com",
      "url.path": "/a",
      "url.original": "/a?b=1",
      "user_agent.original": "curl/8",
      "http.response.status_code": 200,
      duration_ms: 12.3
    }
  },
  {
    format: "envoy",
    line: '[2026-03-05T10:11:12.310Z] "GET /api/v1 HTTP/2" 503 UF 0 226 100 - "10.0.35.28" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.35.28:80"',
    time: "2026-03-05T10:11:12.310Z",
    level: "error",
    service: "envoy",
    attributes: {
      "http.request.method": "GET",
      "url.path": "/api/v1",
      "http.response.status_code": 503,
      "envoy.response_flags": "UF",
      duration_ms: 100,
      "client.address": "10.0.35.28",
      "http.request.id": "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2",
      "server.address": "locations",
      "upstream.address": "10.0.35.28:80"
    }
  },
  {
    format: "envoy",
    line: '[2026-03-05T10:11:12.310Z] "POST /r HTTP/1.1" 200 - via_upstream - "-" 12 34 5 4 "-" "python-requests/2.31" "0c2ce0b4-6e36-9b5c-8b53-6d0c0e1d8f11" "reviews:8080" "10.1.1.1:8080" outbound|8080||reviews.default.svc.cluster.local 10.1.1.2:44444 10.96.0.1:8080 10.1.1.2:55555 - default',
    time: "2026-03-05T10:11:12.310Z",
    level: "info",
    service: "envoy",
    attributes: {
      "http.request.method": "POST",
      "url.path": "/r",
      "http.response.status_code": 200,
      duration_ms: 5,
      "upstream.address": "10.1.1.1:8080",
      "upstream.cluster": "outbound|8080||reviews.default.svc.cluster.local",
      "destination.address": "10.96.0.1",
      "client.address": "10.1.1.2"
    }
  },
  {
    format: "haproxy",
    line: "203.0.113.9:4711 [05/Mar/2026:10:11:12.655] fe_https/1: SSL handshake failure",
    time: "2026-03-05T10:11:12.655Z",
    level: "warn",
    service: "haproxy",
    attributes: {
      "client.address": "203.0.113.9",
      "client.port": 4711
    }
  },
  {
    format: "w3c",
    line: "2026-03-05 10:11:12 10.0.0.5 GET /default.aspx - 443 - 203.0.113.9 Mozilla/5.0+(X11) - 401 2 5 15",
    time: "2026-03-05T10:11:12.000Z",
    level: "warn",
    attributes: {
      "server.address": "10.0.0.5",
      "http.request.method": "GET",
      "server.port": 443,
      "client.address": "203.0.113.9",
      "http.response.status_code": 401,
      duration_ms: 15,
      "url.path": "/default.aspx"
    }
  },
  {
    format: "w3c",
    line: "2026-03-05 10:11:12 DROP TCP 203.0.113.9 10.0.0.5 4711 3389 60 S 1 0 64240 - - - RECEIVE 4",
    time: "2026-03-05T10:11:12.000Z",
    level: "info",
    attributes: {
      "event.action": "DROP",
      "network.transport": "TCP",
      "source.address": "203.0.113.9",
      "destination.address": "10.0.0.5",
      "source.port": 4711,
      "destination.port": 3389,
      "process.pid": 4
    }
  },
  {
    format: "access",
    line: '203.0.113.9 - - [05/Mar/2026:10:11:12 +0000] "GET / HTTP/1.1" 200 10 "-" "say \\"hi\\""',
    time: "2026-03-05T10:11:12.000Z",
    level: "info",
    attributes: {
      "client.address": "203.0.113.9",
      "http.request.method": "GET",
      "url.path": "/",
      "http.response.status_code": 200,
      "user_agent.original": 'say "hi"'
    }
  },
  {
    format: "access",
    line: '10.0.0.1 - - [05/Mar/2026:10:11:12 +0000] "GET /ping HTTP/1.1" 200 2 "-" "kube-probe/1.29" 17 "web@file" "http://10.0.0.7:80" 3ms',
    time: "2026-03-05T10:11:12.000Z",
    level: "info",
    attributes: {
      "client.address": "10.0.0.1",
      "http.request.method": "GET",
      "url.path": "/ping",
      "http.response.status_code": 200,
      duration_ms: 3
    }
  },
  {
    format: "plain",
    line: "2026-03-05 10:11:12.345678 [INFO] [77] [203.0.113.9:4711#APVH_ex.com:443] File not found [/x.php]",
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    attributes: {
      "process.pid": 77,
      "client.address": "203.0.113.9",
      "client.port": 4711
    }
  },
  {
    format: "access",
    line: '203.0.113.9 - - [05/Mar/2026:10:11:12 +0000] "POST /api HTTP/2.0" 502 150 "-" "okhttp" 412 0.123 [default-web-80] [] 10.2.0.7:8080 0 0.122 502 0f1e2d',
    time: "2026-03-05T10:11:12.000Z",
    level: "error",
    attributes: {
      "client.address": "203.0.113.9",
      "http.request.method": "POST",
      "url.path": "/api",
      "http.response.status_code": 502,
      "http.request.duration": 0.123,
      "upstream.name": "default-web-80",
      "upstream.address": "10.2.0.7:8080",
      "upstream.status_code": 502,
      "http.request.id": "0f1e2d",
      duration_ms: 123
    }
  }
]

const javaLike: ReadonlyArray<Example> = [
  {
    format: "plain",
    line: "2026-05-04T12:13:14.567+02:00 INFO  [pool-1-thread-2] c.a.JobRunner [userId=u-42] job done in 31 ms",
    time: "2026-05-04T10:13:14.567Z",
    level: "info",
    service: "c.a.JobRunner",
    attributes: {
      "thread.name": "pool-1-thread-2",
      userId: "u-42"
    }
  },
  {
    format: "plain",
    line: "2026-05-04T12:13:14.567Z  INFO 18 --- [demo] [           main] c.e.demo.DemoApplication                 : Started DemoApplication in 2.1 seconds",
    time: "2026-05-04T12:13:14.567Z",
    level: "info",
    service: "c.e.demo.DemoApplication",
    attributes: {
      "process.pid": 18,
      "thread.name": "main"
    }
  },
  {
    format: "plain",
    line: "2026-05-04 12:13:14.567 ERROR [orders,65f1a2b3c4d5e6f708192a3b4c5d6e7f,08192a3b4c5d6e7f] 7 --- [nio-8080-exec-1] c.e.OrderService                         : failed",
    time: "2026-05-04T12:13:14.567Z",
    level: "error",
    service: "c.e.OrderService",
    traceId: "65f1a2b3c4d5e6f708192a3b4c5d6e7f",
    attributes: {
      "process.pid": 7,
      "thread.name": "nio-8080-exec-1"
    }
  },
  {
    format: "plain",
    line: "2026-03-05 10:11:12,345 - WARN  [NIOServerCxn.Factory:0.0.0.0/0.0.0.0:2181:NIOServerCnxn@357] - caught end of stream exception",
    time: "2026-03-05T10:11:12.345Z",
    level: "warn",
    service: "NIOServerCnxn@357",
    attributes: {
      "thread.name": "NIOServerCxn.Factory:0.0.0.0/0.0.0.0:2181"
    }
  },
  {
    format: "plain",
    line: "2026-03-05 10:11:12,345 [myid:1] - INFO  [main:QuorumPeerConfig@136] - Reading configuration from: zoo.cfg",
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    service: "QuorumPeerConfig@136",
    attributes: {
      "thread.name": "main"
    }
  },
  {
    format: "jvm",
    line: "[2026-03-05T10:11:12.345+0000][info][gc] GC(17) Pause Young (Normal) (G1 Evacuation Pause) 24M->4M(256M) 3.456ms",
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    service: "jvm",
    attributes: {
      "jvm.log.tags": "gc",
      "jvm.gc.id": 17,
      duration_ms: 3.456
    }
  },
  {
    format: "jvm",
    line: "[12.345s][info][gc,heap] GC(3) Eden regions: 9->0(9)",
    level: "info",
    service: "jvm",
    attributes: {
      "jvm.log.tags": "gc,heap",
      "jvm.uptime_s": 12.345
    }
  },
  {
    format: "plain",
    line: "2026-03-05 10:11:12.345+0000 [id=17]\tWARNING\thudson.model.Run#execute: build failed",
    time: "2026-03-05T10:11:12.345Z",
    level: "warn",
    service: "hudson.model.Run#execute",
    attributes: {
      "thread.id": 17,
      id: 17
    }
  },
  {
    format: "plain",
    line: "05-Mar-2026 10:11:12.345 SEVERE [main] org.apache.catalina.core.StandardService.initInternal Failed to initialize connector",
    time: "2026-03-05T10:11:12.345Z",
    level: "error",
    service: "org.apache.catalina.core.StandardService.initInternal",
    attributes: {
      "thread.name": "main"
    }
  },
  {
    format: "plain",
    line: "Mar 05, 2026 10:11:12 AM com.x.Main main",
    time: "2026-03-05T10:11:12.000Z",
    service: "com.x.Main"
  },
  {
    format: "plain",
    line: "WARN  [ReadStage-2] 2026-03-05 10:11:12,345 SelectStatement.java:557 - Aggregation query used without partition key",
    time: "2026-03-05T10:11:12.345Z",
    level: "warn",
    attributes: {
      "thread.name": "ReadStage-2",
      "code.file.path": "SelectStatement.java",
      "code.line.number": 557
    }
  },
  {
    format: "plain",
    line: "2026-03-05 10:11:12.345 INFO  (qtp1-17) [   x:core1] o.a.s.c.S.Request [core1]  webapp=/solr path=/select params={q=*:*} hits=0 status=0 QTime=1",
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    service: "o.a.s.c.S.Request",
    attributes: {
      "thread.name": "qtp1-17",
      "url.path": "/select"
    }
  },
  {
    format: "json",
    line: '{"instant":{"epochSecond":1772705472,"nanoOfSecond":307000000},"thread":"main","level":"ERROR","loggerName":"com.x","message":"m","endOfBatch":false,"loggerFqcn":"org.apache","threadId":1,"threadPriority":5}',
    time: "2026-03-05T10:11:12.307Z",
    level: "error",
    service: "com.x",
    attributes: {
      "thread.name": "main"
    }
  },
  {
    format: "plain",
    line: "[2026-03-05 10:11:12,345] INFO Loading logs from log dirs ArraySeq(/var/lib/kafka) (kafka.log.LogManager)",
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    service: "kafka.log.LogManager"
  },
  {
    format: "plain",
    line: "2026-03-05 10:11:12,345+0000 http-nio-8080-exec-7 WARN anonymous 611x77x1 abc12 203.0.113.9 /login.jsp [c.a.j.security.x] The user 'bob' has FAILED authentication.",
    time: "2026-03-05T10:11:12.345Z",
    level: "warn",
    attributes: {
      "thread.name": "http-nio-8080-exec-7",
      "user.name": "bob",
      "network.peer.address": "203.0.113.9"
    }
  },
  {
    format: "plain",
    line: "[10:11:12] [Server thread/INFO]: bob[/203.0.113.9:4711] logged in with entity id 7",
    time: "2026-11-23T10:11:12.000Z",
    level: "info",
    attributes: {
      "thread.name": "Server thread",
      "client.address": "203.0.113.9"
    }
  }
]

const scripting: ReadonlyArray<Example> = [
  {
    format: "plain",
    line: "ERROR:urllib3.connectionpool:Connection pool is full, discarding connection",
    level: "error",
    service: "urllib3.connectionpool"
  },
  {
    format: "plain",
    line: "2026-05-04 12:13:14.567 | ERROR    | app.worker:run:42 - job failed",
    time: "2026-05-04T12:13:14.567Z",
    level: "error",
    service: "app.worker"
  },
  {
    format: "plain",
    line: "[2026-05-04 12:13:14,567: INFO/MainProcess] Task tasks.add[cd3a7f6e-2b3c-4d5e-8f90-1a2b3c4d5e6f] succeeded in 0.03s: 5",
    time: "2026-05-04T12:13:14.567Z",
    level: "info",
    attributes: {
      "process.name": "MainProcess"
    }
  },
  {
    format: "plain",
    line: '[04/May/2026 12:13:14] "GET /favicon.ico HTTP/1.1" 404 179',
    time: "2026-05-04T12:13:14.000Z",
    level: "warn",
    attributes: {
      "http.request.method": "GET",
      "url.path": "/favicon.ico",
      "http.response.status_code": 404
    }
  },
  {
    format: "ruby",
    line: 'I, [2026-05-04T12:13:14.567890 #101]  INFO -- : Started GET "/posts" for 127.0.0.1 at 2026-05-04 12:13:14 +0000',
    time: "2026-05-04T12:13:14.567Z",
    level: "info",
    attributes: {
      "http.request.method": "GET",
      "url.path": "/posts",
      "client.address": "127.0.0.1",
      "process.pid": 101
    }
  },
  {
    format: "ruby",
    line: 'Started POST "/login" for 10.1.2.3 at 2026-05-04 12:13:14 +0200',
    time: "2026-05-04T10:13:14.000Z",
    level: "info",
    attributes: {
      "http.request.method": "POST",
      "url.path": "/login",
      "client.address": "10.1.2.3"
    }
  },
  {
    format: "ruby",
    line: "Completed 500 Internal Server Error in 31ms (Views: 0.2ms | ActiveRecord: 3.1ms | Allocations: 1234)",
    level: "error",
    attributes: {
      "http.response.status_code": 500,
      duration_ms: 31
    }
  },
  {
    format: "ruby",
    line: 'E, [2026-05-04T12:13:14.567890 #101] ERROR -- : [4f6e1a2b-3c4d-5e6f-8091-a2b3c4d5e6f7] ActionController::RoutingError (No route matches [GET] "/x"):',
    time: "2026-05-04T12:13:14.567Z",
    level: "error",
    attributes: {
      "process.pid": 101,
      "http.request.id": "4f6e1a2b-3c4d-5e6f-8091-a2b3c4d5e6f7"
    }
  },
  {
    format: "plain",
    line: "[2026-03-05T10:11:12.345+0000] {taskinstance.py:1308} INFO - Starting attempt 1 of 2",
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    attributes: {
      "code.file.path": "taskinstance.py",
      "code.line.number": 1308
    }
  },
  {
    format: "plain",
    line: "[2026-03-05 10:11:12,345] ERROR in app: Exception on /x [GET]",
    time: "2026-03-05T10:11:12.345Z",
    level: "error",
    service: "app"
  },
  {
    format: "plain",
    line: "[2026-03-05 10:11:12,345] [INFO] [paperless.auth] Login failed for user `bob` from IP `203.0.113.9`.",
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    service: "paperless.auth",
    attributes: {
      "user.name": "bob",
      "client.address": "203.0.113.9"
    }
  },
  {
    format: "plain",
    line: "[Nest] 7  - 03/05/2026, 10:11:12 AM    WARN [AuthService] Failed login attempt for user bob@ex.com from ip address 203.0.113.9",
    time: "2026-03-05T10:11:12.000Z",
    level: "warn",
    service: "AuthService",
    attributes: {
      "process.pid": 7,
      "client.address": "203.0.113.9",
      "user.name": "bob@ex.com"
    }
  },
  {
    format: "plain",
    line: "[05-Mar-2026 10:11:12 UTC] PHP Fatal error:  Uncaught Error: x in /var/www/x.php:7",
    time: "2026-03-05T10:11:12.000Z",
    level: "fatal"
  },
  {
    format: "plain",
    line: '[2026-03-05T10:11:12.345678+00:00] app.ERROR: Payment failed {"id":7,"exception":"x"} []',
    time: "2026-03-05T10:11:12.345Z",
    level: "error",
    service: "app",
    attributes: {
      id: 7
    }
  },
  {
    format: "plain",
    line: '[2026-03-05 10:11:12] request.INFO: Matched route "home". {"route":"home"} []',
    time: "2026-03-05T10:11:12.000Z",
    level: "info",
    service: "request",
    attributes: {
      route: "home"
    }
  },
  {
    format: "plain",
    line: "2026-03-05 10:11:12,345 77 INFO prod odoo.addons.base.models.res_users: Login failed for db:prod login:admin from 203.0.113.9 ",
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    service: "odoo.addons.base.models.res_users",
    attributes: {
      "process.pid": 77,
      "db.namespace": "prod",
      "user.name": "admin",
      "client.address": "203.0.113.9"
    }
  }
]

const goRust: ReadonlyArray<Example> = [
  {
    format: "plain",
    line: "2026-03-05 10:11:12,345 [7] FATAL Shop.Program - Out of disk",
    time: "2026-03-05T10:11:12.345Z",
    level: "fatal",
    service: "Shop.Program",
    attributes: { "thread.id": 7 }
  },
  {
    format: "plain",
    line: "[W 260305 10:11:12.345 web:2348] 404 GET /x (10.0.0.9) 1.23ms",
    time: "2026-03-05T10:11:12.345Z",
    level: "warn",
    attributes: { "http.request.method": "GET", "url.path": "/x", "network.peer.address": "10.0.0.9" }
  },
  {
    format: "plain",
    line: "[2026-03-05 10:11:12.345][7][warning][upstream] [source/common/upstream/x.cc:12] gRPC config failed",
    time: "2026-03-05T10:11:12.345Z",
    level: "warn",
    service: "upstream",
    attributes: { "thread.id": 7, "code.file.path": "source/common/upstream/x.cc", "code.line.number": 12 }
  },
  {
    format: "plain",
    line: '2026-03-05T10:11:12.345Z\tWARN\tapi.http\thttp/server.go:88\tslow request\t{"id": 7, "took": "3s"}',
    time: "2026-03-05T10:11:12.345Z",
    level: "warn",
    service: "api.http",
    attributes: {
      "code.file.path": "http/server.go",
      id: 7
    }
  },
  {
    format: "plain",
    line: '2026-03-05T10:11:12.345Z\tINFO\tcmd/main.go:12\tlistening\t{"port": 8080}',
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    attributes: {
      "code.file.path": "cmd/main.go",
      port: 8080
    }
  },
  {
    format: "plain",
    line: "2026-03-05T10:11:12.345678Z  INFO request{method=GET path=/x}: app::http: done status=200",
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    service: "app::http",
    attributes: {
      "http.request.method": "GET",
      "url.path": "/x}:",
      "http.response.status_code": 200
    }
  },
  {
    format: "plain",
    line: "fail: Microsoft.AspNetCore.Server.Kestrel[13]",
    level: "error",
    service: "Microsoft.AspNetCore.Server.Kestrel",
    attributes: {
      "event.id": "13"
    }
  },
  {
    format: "plain",
    line: "[1] 2026/03/05 10:11:12.345678 [INF] 10.0.0.9:4711 - cid:7 - Client connection created",
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    attributes: {
      "process.pid": 1,
      "network.peer.address": "10.0.0.9"
    }
  },
  {
    format: "plain",
    line: '2026-03-05T10:11:12.345Z [warn][Auth]: Failed login attempt from user with incorrect credentials {"account":{"ip":"203.0.113.9","email":"bob@ex.com"}}',
    time: "2026-03-05T10:11:12.345Z",
    level: "warn",
    service: "Auth"
  },
  {
    format: "plain",
    line: '2026/03/05 10:11:12.345678 77#88 [info] auth: failed to login user: "bob" from ip: 203.0.113.9',
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    service: "auth",
    attributes: {
      "user.name": "bob",
      "client.address": "203.0.113.9"
    }
  },
  {
    format: "json",
    line: '{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/default/pods/x","verb":"delete","user":{"username":"system:admin","groups":["system:masters"]},"sourceIPs":["10.0.0.9"],"userAgent":"kubectl","objectRef":{"resource":"pods","namespace":"default","name":"x"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-03-05T10:11:12.345678Z","stageTimestamp":"2026-03-05T10:11:12.355678Z"}',
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    service: "kube-apiserver",
    attributes: {
      verb: "delete",
      "user.name": "system:admin",
      "client.address": "10.0.0.9",
      "http.response.status_code": 200,
      "url.path": "/api/v1/namespaces/default/pods/x"
    }
  },
  {
    format: "plain",
    line: "2026-03-05T10:11:12.345Z\t8f5c1a2b-3c4d-5e6f-8091-a2b3c4d5e6f7\tERROR\tInvoke Error",
    time: "2026-03-05T10:11:12.345Z",
    level: "error",
    attributes: {
      "faas.invocation_id": "8f5c1a2b-3c4d-5e6f-8091-a2b3c4d5e6f7"
    }
  },
  {
    format: "plain",
    line: "[INFO]\t2026-03-05T10:11:12.345Z\t8f5c1a2b-3c4d-5e6f-8091-a2b3c4d5e6f7\tgot event",
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    attributes: {
      "faas.invocation_id": "8f5c1a2b-3c4d-5e6f-8091-a2b3c4d5e6f7"
    }
  },
  {
    format: "plain",
    line: "REPORT RequestId: 8f5c1a2b-3c4d-5e6f-8091-a2b3c4d5e6f7\tDuration: 102.25 ms\tBilled Duration: 103 ms\tMemory Size: 128 MB\tMax Memory Used: 71 MB",
    attributes: {
      "faas.invocation_id": "8f5c1a2b-3c4d-5e6f-8091-a2b3c4d5e6f7",
      duration_ms: 102.25,
      "faas.memory_mb": 128
    }
  }
]

const stores: ReadonlyArray<Example> = [
  {
    format: "plain",
    line: "1:M 05 Mar 2026 10:11:12.345 # WARNING overcommit_memory is set to 0!",
    time: "2026-03-05T10:11:12.345Z",
    level: "warn",
    attributes: {
      "process.pid": 1
    }
  },
  {
    format: "plain",
    line: "12:C 05 Mar 2026 10:11:12.345 * DB saved on disk",
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    attributes: {
      "process.pid": 12
    }
  },
  {
    format: "plain",
    line: "2026-03-05T10:11:12.345+0000 W NETWORK  [conn7] end connection 10.0.0.9:4711 (3 connections now open)",
    time: "2026-03-05T10:11:12.345Z",
    level: "warn",
    service: "NETWORK",
    attributes: {
      "thread.name": "conn7",
      "client.address": "10.0.0.9"
    }
  },
  {
    format: "postgres",
    line: '2026-03-05 10:11:12 UTC:10.0.0.9(4711):bob@shop:[77]:FATAL:  password authentication failed for user "bob"',
    time: "2026-03-05T10:11:12.000Z",
    level: "fatal",
    service: "postgres",
    attributes: {
      "client.address": "10.0.0.9",
      "client.port": 4711,
      "user.name": "bob",
      "db.namespace": "shop",
      "process.pid": 77
    }
  },
  {
    format: "json",
    line: '{"timestamp":"2026-03-05 10:11:12.345 UTC","user":"bob","dbname":"shop","pid":77,"remote_host":"10.0.0.9","remote_port":4711,"session_id":"65f","line_num":1,"ps":"SELECT","session_start":"2026-03-05 10:11:00 UTC","vxid":"3/4","txid":0,"error_severity":"ERROR","state_code":"42P01","message":"relation \\"nope\\" does not exist","statement":"select * from nope","backend_type":"client backend","query_id":0}',
    time: "2026-03-05T10:11:12.345Z",
    level: "error",
    attributes: {
      user: "bob",
      dbname: "shop",
      "process.pid": 77,
      remote_host: "10.0.0.9",
      state_code: "42P01",
      statement: "select * from nope"
    }
  },
  {
    format: "postgres",
    line: '2026-03-05 10:11:12.345 UTC,"bob","shop",77,"10.0.0.9:4711",65e0a1b2.4d,3,"SELECT",2026-03-05 10:11:00 UTC,3/4,0,ERROR,42P01,"relation ""nope"" does not exist",,,,,,"select 1",15,,"psql","client backend",,0',
    time: "2026-03-05T10:11:12.345Z",
    level: "error",
    service: "postgres",
    attributes: {
      "user.name": "bob",
      "db.namespace": "shop",
      "process.pid": 77,
      "client.address": "10.0.0.9"
    }
  },
  {
    format: "plain",
    line: "2026.03.05 10:11:12.345678 [ 77 ] {abc-1} <Error> executeQuery: Code: 60. DB::Exception: Table does not exist",
    time: "2026-03-05T10:11:12.345Z",
    level: "error",
    service: "executeQuery"
  },
  {
    format: "plain",
    line: "2026-03-05 10:11:12.345678+00:00 [error] <0.777.0> closing AMQP connection <0.777.0> (10.0.0.9:4711 -> 10.0.0.5:5672):",
    time: "2026-03-05T10:11:12.345Z",
    level: "error",
    attributes: {
      "process.pid": "<0.777.0>",
      "destination.address": "10.0.0.5",
      "network.peer.address": "10.0.0.9"
    }
  },
  {
    format: "plain",
    line: "[2026-03-05 10:11:12.345678 +0000] E [MSGID: 114058] [client.c:2310:x] 0-v-client-0: failed",
    time: "2026-03-05T10:11:12.345Z",
    level: "error",
    attributes: {
      "event.id": "114058",
      "code.file.path": "client.c"
    }
  },
  {
    format: "plain",
    line: "2026-03-05 10:11:12.345 2931 INFO nova.compute.manager [req-3ea4052c-895d-4b64-9e2d-04d64c4d94ab - - - - -] [instance: b9000564-fe1a-409b-b8cc-1e88b294cd1d] VM Started (Lifecycle Event)",
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    service: "nova.compute.manager",
    attributes: {
      "process.pid": 2931,
      "http.request.id": "req-3ea4052c-895d-4b64-9e2d-04d64c4d94ab"
    }
  },
  {
    format: "plain",
    line: "03-05-2026 10:11:12.345 +0000 WARN  TcpOutputProc [77 parsing] - Cooked connection timed out",
    time: "2026-03-05T10:11:12.345Z",
    level: "warn",
    service: "TcpOutputProc",
    attributes: {
      "thread.name": "parsing"
    }
  },
  {
    format: "plain",
    line: "[2026-03-05T10:11:12,345][WARN ][o.e.c.r.a.DiskThresholdMonitor] [node-1] high disk watermark [90%] exceeded",
    time: "2026-03-05T10:11:12.345Z",
    level: "warn",
    service: "o.e.c.r.a.DiskThresholdMonitor",
    attributes: {
      "host.name": "node-1"
    }
  }
]

const hosts: ReadonlyArray<Example> = [
  {
    format: "syslog",
    line: "Mar  5 10:11:12 web1 sudo:    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/cat /etc/shadow",
    time: "2026-03-05T10:11:12.000Z",
    service: "sudo",
    attributes: {
      "user.name": "alice",
      "process.tty": "pts/0",
      "process.command_line": "/usr/bin/cat /etc/shadow",
      TTY: "pts/0"
    }
  },
  {
    format: "syslog",
    line: "Mar  5 10:11:12 web1 CRON[99]: (root) CMD (run-parts /etc/cron.hourly)",
    time: "2026-03-05T10:11:12.000Z",
    service: "CRON",
    attributes: {
      "process.pid": 99,
      "user.name": "root"
    }
  },
  {
    format: "syslog",
    line: "Mar  5 10:11:12 h su[77]: FAILED SU (to root) bob on pts/0",
    time: "2026-03-05T10:11:12.000Z",
    service: "su",
    attributes: {
      "process.pid": 77,
      "user.effective.name": "root",
      "user.name": "bob"
    }
  },
  {
    format: "syslog",
    line: "Mar  5 10:11:12 h login[77]: FAILED LOGIN (1) on '/dev/tty1' FOR 'root', Authentication failure",
    time: "2026-03-05T10:11:12.000Z",
    service: "login",
    attributes: {
      "process.pid": 77,
      "user.name": "root"
    }
  },
  {
    format: "syslog",
    line: "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
    time: "2026-10-11T22:14:15.000Z",
    level: "fatal",
    service: "su",
    attributes: {
      "host.name": "mymachine",
      "user.name": "lonvick"
    }
  },
  {
    format: "syslog",
    line: "Mar  5 10:11:12 mx postfix/smtpd[77]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <c@d.example>: Relay access denied; from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<mx.b.example>",
    time: "2026-03-05T10:11:12.000Z",
    service: "postfix/smtpd",
    attributes: {
      "process.pid": 77,
      "smtp.response.code": 554,
      "client.address": "203.0.113.9",
      from: "a@b.example",
      to: "c@d.example",
      helo: "mx.b.example",
      "user.name": "c@d.example"
    }
  },
  {
    format: "syslog",
    line: "Mar  5 10:11:12 mx postfix/smtp[78]: 4F3A2B1C: to=<c@d.example>, relay=mx.d.example[198.51.100.7]:25, delay=0.9, delays=0.1/0/0.3/0.5, dsn=2.0.0, status=sent (250 2.0.0 OK)",
    time: "2026-03-05T10:11:12.000Z",
    service: "postfix/smtp",
    attributes: {
      "process.pid": 78,
      "postfix.queue_id": "4F3A2B1C",
      "destination.address": "198.51.100.7",
      to: "c@d.example",
      delay: 0.9,
      dsn: "2.0.0",
      status: "sent"
    }
  },
  {
    format: "syslog",
    line: "Mar  5 10:11:12 gw dhcpd[7]: DHCPACK on 10.0.0.50 to 00:11:22:33:44:55 (phone) via eth1",
    time: "2026-03-05T10:11:12.000Z",
    service: "dhcpd",
    attributes: {
      "process.pid": 7,
      "client.address": "10.0.0.50",
      "client.mac": "00:11:22:33:44:55"
    }
  },
  {
    format: "syslog",
    line: "Mar  5 10:11:12 h kernel: Out of memory: Killed process 77 (java) total-vm:4096kB, anon-rss:2048kB",
    time: "2026-03-05T10:11:12.000Z",
    service: "kernel",
    attributes: {
      "process.pid": 77,
      "process.name": "java"
    }
  },
  {
    format: "syslog",
    line: "Mar  5 10:11:12 mx imapd: LOGIN FAILED, user=bob, ip=[::ffff:203.0.113.9]",
    time: "2026-03-05T10:11:12.000Z",
    service: "imapd",
    attributes: {
      "user.name": "bob",
      "client.address": "203.0.113.9"
    }
  },
  {
    format: "syslog",
    line: "Mar  5 10:11:12 gw charon: 09[NET] received packet: from 203.0.113.9[500] to 10.0.0.5[500] (308 bytes)",
    time: "2026-03-05T10:11:12.000Z",
    service: "charon",
    attributes: {
      "client.address": "203.0.113.9",
      "client.port": 500,
      "server.port": 500
    }
  },
  {
    format: "plain",
    line: "  Auth: [SMB2,(null)] user [WG]\\[bob] at [Thu, 05 Mar 2026 10:11:12.345678 UTC] with [NTLMv2] status [NT_STATUS_WRONG_PASSWORD] workstation [WS] remote host [ipv4:203.0.113.9:4711] mapped to [WG]\\[bob]. local host [ipv4:10.0.0.5:445]",
    attributes: {
      "client.address": "203.0.113.9",
      "client.port": 4711,
      "user.name": "bob"
    }
  },
  {
    format: "plain",
    line: "[1772705472] unbound[7:0] info: 10.0.0.9 example.com. A IN",
    time: "2026-03-05T10:11:12.000Z",
    level: "info",
    service: "unbound",
    attributes: {
      "process.pid": 7
    }
  },
  {
    format: "plain",
    line: "2026.03.05 10:11:12 LOG5[77]: Service [https] accepted connection from 203.0.113.9:4711",
    time: "2026-03-05T10:11:12.000Z",
    level: "info",
    attributes: {
      "client.address": "203.0.113.9",
      "client.port": 4711
    }
  },
  {
    format: "plain",
    line: "2026-03-05 10:11:12.345678+0000 0x1a2b     Error       0x0                  58     0    SpringBoard: (Foundation) x",
    time: "2026-03-05T10:11:12.345Z",
    level: "error",
    service: "SpringBoard",
    attributes: {
      "process.pid": 58
    }
  },
  {
    format: "plain",
    line: "2026-03-05 10:11:12 #77(normal) <abc123>; task; rspamd_task_write_log: id: <m@x>, qid: <q>, ip: 203.0.113.9, from: <a@b>, (default: F (no action): [1.00/15.00] [X(1.00){}]), len: 12, time: 1.2ms",
    time: "2026-03-05T10:11:12.000Z",
    service: "task",
    attributes: {
      "process.pid": 77,
      "client.address": "203.0.113.9"
    }
  },
  {
    format: "plain",
    line: 'Thu Mar  5 10:11:12 2026 [pid 7] [bob] FAIL LOGIN: Client "::ffff:203.0.113.9"',
    time: "2026-03-05T10:11:12.000Z",
    attributes: {
      "process.pid": 7,
      "user.name": "bob",
      "client.address": "203.0.113.9"
    }
  },
  {
    format: "syslog",
    line: "Mar  5 10:11:12 h slapd[77]: conn=1001 fd=12 ACCEPT from IP=203.0.113.9:4711 (IP=0.0.0.0:389)",
    time: "2026-03-05T10:11:12.000Z",
    service: "slapd",
    attributes: {
      "client.address": "203.0.113.9",
      "client.port": 4711,
      "process.pid": 77
    }
  },
  {
    format: "syslog",
    line: "Mar  5 10:11:12 web1 sshd[7]: error: maximum authentication attempts exceeded for root from 203.0.113.9 port 4711 ssh2 [preauth]",
    time: "2026-03-05T10:11:12.000Z",
    level: "error",
    service: "sshd",
    attributes: {
      "process.pid": 7,
      "client.address": "203.0.113.9",
      "client.port": 4711,
      "user.name": "root"
    }
  }
]

const firewalls: ReadonlyArray<Example> = [
  {
    format: "cisco",
    line: "%LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to down",
    level: "error",
    service: "LINK",
    message: "Interface GigabitEthernet0/1, changed state to down",
    attributes: { "event.id": "LINK-3-UPDOWN" }
  },
  {
    format: "syslog",
    line: 'Mar  5 10:11:12 fw %ASA-4-106023: Deny tcp src outside:203.0.113.9/4711 dst inside:10.0.0.5/22 by access-group "outside_in" [0x0, 0x0]',
    time: "2026-03-05T10:11:12.000Z",
    level: "warn",
    service: "ASA",
    attributes: {
      "event.id": "ASA-4-106023",
      "source.address": "203.0.113.9",
      "source.port": 4711,
      "destination.address": "10.0.0.5",
      "destination.port": 22,
      "rule.name": "outside_in"
    }
  },
  {
    format: "syslog",
    line: "<164>Mar 05 2026 10:11:12: %ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local database : user = bob : user IP = 203.0.113.9",
    time: "2026-03-05T10:11:12.000Z",
    level: "info",
    service: "ASA",
    attributes: {
      "event.id": "ASA-6-113015",
      "client.address": "203.0.113.9",
      "user.name": "bob"
    }
  },
  {
    format: "syslog",
    line: "<189>Mar  5 2026 10:11:12 10.1.1.1 : %ASA-6-302013: Built outbound TCP connection 12 for outside:203.0.113.9/443 (203.0.113.9/443) to inside:10.0.0.9/5555 (10.0.0.9/5555)",
    time: "2026-03-05T10:11:12.000Z",
    level: "info",
    service: "ASA",
    attributes: {
      "event.id": "ASA-6-302013",
      "source.address": "203.0.113.9",
      "destination.address": "10.0.0.9",
      "host.name": "10.1.1.1"
    }
  },
  {
    format: "syslog",
    line: "<189>29: *Mar  5 10:11:12.123 UTC: %SYS-5-CONFIG_I: Configured from console by admin on vty0 (10.0.0.2)",
    time: "2026-03-05T10:11:12.123Z",
    level: "info",
    service: "SYS",
    attributes: {
      "event.id": "SYS-5-CONFIG_I",
      "user.name": "admin"
    }
  },
  {
    format: "syslog",
    line: '<188>date=2026-03-05 time=10:11:12 devname="FG100" devid="FG1" eventtime=1772705472 tz="+0000" logid="0000000013" type="traffic" subtype="forward" level="warning" vd="root" srcip=10.0.0.5 srcport=5555 srcintf="port1" dstip=203.0.113.9 dstport=443 action="deny" policyid=0 service="HTTPS"',
    time: "2026-03-05T10:11:12.000Z",
    level: "warn",
    service: "HTTPS",
    attributes: {
      devname: "FG100",
      "source.address": "10.0.0.5",
      "source.port": 5555,
      "destination.address": "203.0.113.9",
      action: "deny"
    }
  },
  {
    format: "logfmt",
    line: 'device="SFW" date=2026-03-05 time=10:11:12 timezone="UTC" device_name="XG" log_id=010101600001 log_type="Firewall" status="Deny" priority=Information src_ip=203.0.113.9 dst_ip=10.0.0.5 protocol="TCP" src_port=4711 dst_port=22',
    time: "2026-03-05T10:11:12.000Z",
    level: "info",
    attributes: {
      "source.address": "203.0.113.9",
      "destination.address": "10.0.0.5",
      "source.port": 4711,
      "destination.port": 22
    }
  },
  {
    format: "syslog",
    line: '<134>1 2026-03-05T10:11:12Z gw CheckPoint 77 - [action:"Drop"; flags:"411908"; ifdir:"inbound"; src:"203.0.113.9"; dst:"10.0.0.5"; proto:"6"; service:"22"]',
    time: "2026-03-05T10:11:12.000Z",
    level: "info",
    service: "CheckPoint",
    attributes: {
      "process.pid": 77,
      action: "Drop",
      src: "203.0.113.9",
      dst: "10.0.0.5"
    }
  },
  {
    format: "syslog",
    line: '<14>1 2026-03-05T10:11:12.345Z srx RT_FLOW - RT_FLOW_SESSION_DENY [junos@2636.1.1.1.2.26 source-address="203.0.113.9" source-port="4711" destination-address="10.0.0.5" destination-port="22" protocol-id="6"] session denied',
    time: "2026-03-05T10:11:12.345Z",
    level: "info",
    service: "RT_FLOW",
    attributes: {
      "junos@2636.1.1.1.2.26.source-address": "203.0.113.9",
      "junos@2636.1.1.1.2.26.source-port": "4711",
      "junos@2636.1.1.1.2.26.destination-address": "10.0.0.5"
    }
  },
  {
    format: "windows_event",
    line: "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Service Control Manager' Guid='{555908d1}'/><EventID Qualifiers='49152'>7000</EventID><Version>0</Version><Level>2</Level><Task>0</Task><TimeCreated SystemTime='2026-03-05T10:11:12.345678900Z'/><EventRecordID>9</EventRecordID><Execution ProcessID='640' ThreadID='641'/><Channel>System</Channel><Computer>WS1</Computer><Security/></System><EventData><Data Name='param1'>Foo</Data></EventData></Event>",
    time: "2026-03-05T10:11:12.345Z",
    level: "error",
    service: "Service Control Manager",
    attributes: {
      "event.id": 7000,
      "event.provider": "Service Control Manager",
      "winlog.channel": "System",
      "host.name": "WS1",
      "process.pid": 640
    }
  },
  {
    format: "nginx_error",
    line: '2026/03/05 10:11:12 [error] 77#77: *7 NAXSI_FMT: ip=203.0.113.9&server=ex.com&uri=/x&vers=1.3&total_processed=1&total_blocked=1&config=block&cscore0=$SQL&score0=8&zone0=ARGS&id0=1000&var_name0=a, client: 203.0.113.9, server: ex.com, request: "GET /x?a=1 HTTP/1.1", host: "ex.com"',
    time: "2026-03-05T10:11:12.000Z",
    level: "error",
    service: "nginx",
    attributes: {
      "process.pid": 77,
      "client.address": "203.0.113.9",
      "nginx.server": "ex.com",
      "http.request.method": "GET",
      "url.path": "/x",
      "server.address": "ex.com",
      "naxsi.ip": "203.0.113.9",
      "naxsi.server": "ex.com",
      "naxsi.uri": "/x",
      "naxsi.zone0": "ARGS",
      "naxsi.id0": 1000,
      "naxsi.var_name0": "a"
    }
  },
  {
    format: "json",
    line: '{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"AIDA1","arn":"arn:aws:iam::123456789012:user/alice","accountId":"123456789012","userName":"alice"},"eventTime":"2026-03-05T10:11:12Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.9","userAgent":"Mozilla/5.0","errorMessage":"Failed authentication","requestParameters":null,"responseElements":{"ConsoleLogin":"Failure"},"additionalEventData":{"MFAUsed":"No"},"eventID":"e1","eventType":"AwsConsoleSignIn","recipientAccountId":"123456789012"}',
    time: "2026-03-05T10:11:12.000Z",
    level: "warn",
    service: "signin.amazonaws.com",
    attributes: {
      "event.name": "ConsoleLogin",
      "cloud.region": "us-east-1",
      "client.address": "203.0.113.9",
      "user.name": "alice"
    }
  },
  {
    format: "suricata",
    line: "03/05-10:11:12.345678  [**] [1:2001219:20] ET SCAN SSH [**] [Classification: Attempted Information Leak] [Priority: 2] {TCP} 203.0.113.9:4711 -> 10.0.0.5:22",
    time: "2026-03-05T10:11:12.345Z",
    level: "warn",
    service: "suricata",
    attributes: {
      "rule.generator_id": 1,
      "rule.id": 2001219,
      "source.address": "203.0.113.9",
      "source.port": 4711,
      "destination.address": "10.0.0.5",
      "destination.port": 22
    }
  },
  {
    format: "json",
    line: '{"timestamp":"2026-03-05 10:11:12.345 Z","level":"error","msg":"Enter a valid email","caller":"web/context.go:117","path":"/api/v4/users/login","ip_addr":"203.0.113.9","method":"POST","err_where":"login","http_code":401}',
    time: "2026-03-05T10:11:12.345Z",
    level: "error",
    attributes: {
      path: "/api/v4/users/login",
      "client.address": "203.0.113.9",
      method: "POST"
    }
  },
  {
    format: "json",
    line: '{"timestamp":"2026-03-05T10:11:12.345Z","status":"error","service":"pay","host":"web1","message":"boom","ddsource":"nodejs","ddtags":"env:prod"}',
    time: "2026-03-05T10:11:12.345Z",
    level: "error",
    service: "pay",
    attributes: {
      "host.name": "web1"
    }
  }
]

export const programs: ReadonlyArray<Example> = [
  ...proxies,
  ...javaLike,
  ...scripting,
  ...goRust,
  ...stores,
  ...hosts,
  ...firewalls
]
