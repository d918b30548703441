/**
 * Builds the dashboard into web/dist, which the server hands out at `/`. During `npx vite web` the API is asked on
 * LOGLYTICS_URL (default http://127.0.0.1:8080). JSX goes through Vite's own transformer; no plugin is needed.
 */
import { fileURLToPath } from "node:url"
import { defineConfig, type UserConfig } from "vite"

const target = process.env["LOGLYTICS_URL"] ?? "http://127.0.0.1:8080"

const config: UserConfig = {
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "/",
  build: {
    outDir: "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The browsers of 2024 know light-dark(); the polyfill for older ones doubles every colour.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    rolldownOptions: {
      // Libraries mark their modules "use client" for server rendering, which this page has none of.
      onLog: (level, log, next) => {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") next(level, log)
      }
    }
  },
  server: {
    proxy: {
      "/v1": target,
      "/health": target,
      "/live": { target, ws: true }
    }
  }
}

/** What is shipped is never a development build, whatever NODE_ENV the one who asks for it runs under. */
const production: UserConfig = {
  define: { "process.env.NODE_ENV": '"production"' },
  oxc: { jsx: { runtime: "automatic", development: false } },
  resolve: { conditions: ["module", "browser", "production"] }
}

export default defineConfig(({ command }) => (command === "build" ? { ...config, ...production } : config))
