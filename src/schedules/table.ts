/** Every schedule of the product, one line each. Times of day are UTC. */
import { GenerateWeeklyReports } from "../tasks/analytics/generate_weekly_reports.ts"
import { UpdateAllProjectAnalytics } from "../tasks/analytics/update_all_project_analytics.ts"
import { CheckAllAlertConditions } from "../tasks/live/check_all_alert_conditions.ts"
import { PollAllConnections } from "../tasks/live/poll_all_connections.ts"
import { CleanupOldLogs } from "../tasks/logs/cleanup_old_logs.ts"
import { CleanupTempFiles } from "../tasks/maintenance/cleanup_temp_files.ts"
import { HealthCheck } from "../tasks/maintenance/health_check.ts"
import * as Beat from "./Beat.ts"

export const table = [
  Beat.every("30 seconds", "poll_all_connections", PollAllConnections.job({})),
  Beat.every("5 minutes", "check_all_alert_conditions", CheckAllAlertConditions.job({})),
  Beat.cron("0 * * * *", "update_all_project_analytics", UpdateAllProjectAnalytics.job({})),
  Beat.cron("0 2 * * *", "cleanup_old_logs", CleanupOldLogs.job({})),
  Beat.cron("20 2 * * *", "cleanup_temp_files", CleanupTempFiles.job({})),
  Beat.cron("0 8 * * 0", "generate_weekly_reports", GenerateWeeklyReports.job({})),
  Beat.every("15 minutes", "health_check", HealthCheck.job({}))
]
