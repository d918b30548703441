/**
 * Loaded into the main program by the launcher: when the launcher is gone, however that came, the main program drains and
 * stops as if it had been asked to.
 */
if (process.connected) {
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"))
  process.channel?.unref()
}
