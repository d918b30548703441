/**
 * Where the files are that worker threads begin with: beside this one, and like it TypeScript in a checkout, JavaScript in
 * the built library. No compiler rewrites a path in a URL.
 */
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js"

export const threadFile = (name: "handler" | "watchdog"): URL =>
  new URL(`./${name}.thread.${extension}`, import.meta.url)
