/** Every task of the product. A new one is a file in its group and a line in each of the two lists. */
import { Layer } from "effect"
import type { AnyTask } from "../jobs/Task.ts"
import { CalculateAnalytics, CalculateAnalyticsLive } from "./analytics/calculate_analytics.ts"
import { CalculateLogPatterns, CalculateLogPatternsLive } from "./analytics/calculate_log_patterns.ts"
import { GenerateAnalyticsReport, GenerateAnalyticsReportLive } from "./analytics/generate_analytics_report.ts"
import { GenerateInsights, GenerateInsightsLive } from "./analytics/generate_insights.ts"
import { GenerateWeeklyReports, GenerateWeeklyReportsLive } from "./analytics/generate_weekly_reports.ts"
import { UpdateAllProjectAnalytics, UpdateAllProjectAnalyticsLive } from "./analytics/update_all_project_analytics.ts"
import { UpdateProjectAnalytics, UpdateProjectAnalyticsLive } from "./analytics/update_project_analytics.ts"
import { DetectAnomalies, DetectAnomaliesLive } from "./analytics/detect_anomalies.ts"
import { CheckAlertConditions, CheckAlertConditionsLive } from "./live/check_alert_conditions.ts"
import { CheckAllAlertConditions, CheckAllAlertConditionsLive } from "./live/check_all_alert_conditions.ts"
import { PollAllConnections, PollAllConnectionsLive } from "./live/poll_all_connections.ts"
import { PollCloudLogs, PollCloudLogsLive } from "./live/poll_cloud_logs.ts"
import { ProcessLiveLogs, ProcessLiveLogsLive } from "./live/process_live_logs.ts"
import { SendAlerts, SendAlertsLive } from "./live/send_alerts.ts"
import { UpdateLiveAnalytics, UpdateLiveAnalyticsLive } from "./live/update_live_analytics.ts"
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
import { SendPushNotification, SendPushNotificationLive } from "./notifications/send_push_notification.ts"
import { SendSlackNotification, SendSlackNotificationLive } from "./notifications/send_slack_notification.ts"
import { SendSms, SendSmsLive } from "./notifications/send_sms.ts"
import { SendWebhook, SendWebhookLive } from "./notifications/send_webhook.ts"

export const tasks: ReadonlyArray<AnyTask> = [
  ProcessLogFile,
  ParseStructuredLogs,
  ExtractLogMetadata,
  CompressLogFile,
  CleanupOldLogs,
  CleanupTempFiles,
  CalculateAnalytics,
  CalculateLogPatterns,
  DetectAnomalies,
  UpdateProjectAnalytics,
  UpdateAllProjectAnalytics,
  UpdateLiveAnalytics,
  GenerateInsights,
  GenerateAnalyticsReport,
  GenerateWeeklyReports,
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
  SendWebhook,
  SendSms,
  SendPushNotification,
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
  DetectAnomaliesLive,
  UpdateProjectAnalyticsLive,
  UpdateAllProjectAnalyticsLive,
  UpdateLiveAnalyticsLive,
  GenerateInsightsLive,
  GenerateAnalyticsReportLive,
  GenerateWeeklyReportsLive,
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
  SendWebhookLive,
  SendSmsLive,
  SendPushNotificationLive,
  HealthCheckLive
)
