/** Every task of the product. A new one is a file in its group and a line in each of the two lists. */
import { Layer } from "effect"
import type { AnyTask } from "../jobs/Task.ts"
import { CalculateAnalytics, CalculateAnalyticsLive } from "./analytics/calculate_analytics.ts"
import { CalculateLogPatterns, CalculateLogPatternsLive } from "./analytics/calculate_log_patterns.ts"
import { CheckAlertConditions, CheckAlertConditionsLive } from "./live/check_alert_conditions.ts"
import { CheckAllAlertConditions, CheckAllAlertConditionsLive } from "./live/check_all_alert_conditions.ts"
import { PollAllConnections, PollAllConnectionsLive } from "./live/poll_all_connections.ts"
import { PollCloudLogs, PollCloudLogsLive } from "./live/poll_cloud_logs.ts"
import { ProcessLiveLogs, ProcessLiveLogsLive } from "./live/process_live_logs.ts"
import { SendAlerts, SendAlertsLive } from "./live/send_alerts.ts"
import { CleanupOldLogs, CleanupOldLogsLive } from "./logs/cleanup_old_logs.ts"
import { CompressLogFile, CompressLogFileLive } from "./logs/compress_log_file.ts"
import { ExtractLogMetadata, ExtractLogMetadataLive } from "./logs/extract_log_metadata.ts"
import { GenerateEmbeddings, GenerateEmbeddingsLive } from "./logs/generate_embeddings.ts"
import { ParseStructuredLogs, ParseStructuredLogsLive } from "./logs/parse_structured_logs.ts"
import { ProcessLogFile, ProcessLogFileLive } from "./logs/process_log_file.ts"
import { CleanupTempFiles, CleanupTempFilesLive } from "./maintenance/cleanup_temp_files.ts"
import { HealthCheck, HealthCheckLive } from "./maintenance/health_check.ts"
import { CreateJiraTicket, CreateJiraTicketLive } from "./notifications/create_jira_ticket.ts"
import { SendEmail, SendEmailLive } from "./notifications/send_email.ts"
import { SendInAppNotification, SendInAppNotificationLive } from "./notifications/send_in_app_notification.ts"
import { SendSlackNotification, SendSlackNotificationLive } from "./notifications/send_slack_notification.ts"

export const tasks: ReadonlyArray<AnyTask> = [
  ProcessLogFile,
  ParseStructuredLogs,
  ExtractLogMetadata,
  CompressLogFile,
  CleanupOldLogs,
  CleanupTempFiles,
  CalculateAnalytics,
  CalculateLogPatterns,
  GenerateEmbeddings,
  CheckAlertConditions,
  CheckAllAlertConditions,
  PollAllConnections,
  PollCloudLogs,
  ProcessLiveLogs,
  SendAlerts,
  SendEmail,
  SendSlackNotification,
  CreateJiraTicket,
  SendInAppNotification,
  HealthCheck
]

export const TasksLive = Layer.mergeAll(
  ProcessLogFileLive,
  ParseStructuredLogsLive,
  ExtractLogMetadataLive,
  CompressLogFileLive,
  CleanupOldLogsLive,
  CleanupTempFilesLive,
  CalculateAnalyticsLive,
  CalculateLogPatternsLive,
  GenerateEmbeddingsLive,
  CheckAlertConditionsLive,
  CheckAllAlertConditionsLive,
  PollAllConnectionsLive,
  PollCloudLogsLive,
  ProcessLiveLogsLive,
  SendAlertsLive,
  SendEmailLive,
  SendSlackNotificationLive,
  CreateJiraTicketLive,
  SendInAppNotificationLive,
  HealthCheckLive
)
