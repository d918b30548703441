/** The whole HTTP API as one value: `/openapi.json` and the typed client are made from it. */
import { HttpApi, OpenApi } from "effect/http-api"
import { AlertingGroup } from "./api/alerting.ts"
import { AlertsGroup } from "./api/alerts.ts"
import { AnalyticsGroup } from "./api/analytics.ts"
import { AnomaliesGroup } from "./api/anomalies.ts"
import { ChannelsGroup } from "./api/channels.ts"
import { ConnectionsGroup } from "./api/connections.ts"
import { DeadGroupApi } from "./api/dead.ts"
import { ControlGroup } from "./api/control.ts"
import { EngineGroup } from "./api/engine.ts"
import { ExploreGroup } from "./api/explore.ts"
import { FilesGroup } from "./api/files.ts"
import { HealthGroup } from "./api/health.ts"
import { IncidentsGroup } from "./api/incidents.ts"
import { InsightsGroup } from "./api/insights.ts"
import { LogsGroup } from "./api/logs.ts"
import { PatternsGroup } from "./api/patterns.ts"
import { ProjectsGroup } from "./api/projects.ts"
import { PushGroup } from "./api/push.ts"
import { RulesGroup } from "./api/rules.ts"
import { SchedulesGroup } from "./api/schedules.ts"
import { SemanticGroup } from "./api/semantic.ts"
import { SettingsGroup } from "./api/settings.ts"
import { TasksGroup } from "./api/tasks.ts"

export class Api extends HttpApi.make("loglytics")
  .add(ProjectsGroup)
  .add(SettingsGroup)
  .add(LogsGroup)
  .add(ExploreGroup)
  .add(PatternsGroup)
  .add(AnalyticsGroup)
  .add(AnomaliesGroup)
  .add(InsightsGroup)
  .add(SemanticGroup)
  .add(RulesGroup)
  .add(AlertsGroup)
  .add(IncidentsGroup)
  .add(AlertingGroup)
  .add(FilesGroup)
  .add(TasksGroup)
  .add(ConnectionsGroup)
  .add(ChannelsGroup)
  .add(PushGroup)
  .add(EngineGroup)
  .add(ControlGroup)
  .add(DeadGroupApi)
  .add(SchedulesGroup)
  .add(HealthGroup)
  // Every fault is told at once, an unknown field is one of them, and each says what was got.
  .annotate(HttpApi.ParseOptions, { errors: "all", reportInput: true })
  .annotate(HttpApi.PayloadParseOptions, { errors: "all", reportInput: true, onExcessProperty: "error" })
  .annotateMerge(
    OpenApi.annotations({
      title: "Loglytics",
      version: "1",
      description: "Logs in, alerts out, and typed background jobs. Send a key as `Authorization: Bearer lg_...`."
    })
  ) {}
