/** Every task of the product. A new one is a file in its group and a line in each of the two lists. */
import { Layer } from "effect"
import type { AnyTask } from "../jobs/Task.ts"
import { CalculateAnalytics, CalculateAnalyticsLive } from "./analytics/calculate_analytics.ts"
import { CheckAlertConditions, CheckAlertConditionsLive } from "./live/check_alert_conditions.ts"
import { CheckAllAlertConditions, CheckAllAlertConditionsLive } from "./live/check_all_alert_conditions.ts"
import { PollAllConnections, PollAllConnectionsLive } from "./live/poll_all_connections.ts"
import { PollCloudLogs, PollCloudLogsLive } from "./live/poll_cloud_logs.ts"
import { SendAlerts, SendAlertsLive } from "./live/send_alerts.ts"
import { ProcessLogFile, ProcessLogFileLive } from "./logs/process_log_file.ts"
import { HealthCheck, HealthCheckLive } from "./maintenance/health_check.ts"
import { SendInAppNotification, SendInAppNotificationLive } from "./notifications/send_in_app_notification.ts"

export const tasks: ReadonlyArray<AnyTask> = [
  ProcessLogFile,
  CalculateAnalytics,
  CheckAlertConditions,
  CheckAllAlertConditions,
  PollAllConnections,
  PollCloudLogs,
  SendAlerts,
  SendInAppNotification,
  HealthCheck
]

export const TasksLive = Layer.mergeAll(
  ProcessLogFileLive,
  CalculateAnalyticsLive,
  CheckAlertConditionsLive,
  CheckAllAlertConditionsLive,
  PollAllConnectionsLive,
  PollCloudLogsLive,
  SendAlertsLive,
  SendInAppNotificationLive,
  HealthCheckLive
)
