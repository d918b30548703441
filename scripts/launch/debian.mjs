/**
 * Debian's packages, fetched and unpacked into a folder without touching the host: programs that a test or a first start needs
 * and that nobody has installed. Works for any user, offline only with what was fetched before.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { run, tail } from "./processes.mjs"

/** The folders of unpacked packages that hold shared libraries. @param {string} root @returns {string[]} */
export const libraryFolders = (root) => {
  const folders = []
  for (const top of ["usr/lib", "lib"]) {
    const base = join(root, top)
    if (!existsSync(base)) continue
    folders.push(base)
    for (const entry of readdirSync(base, { withFileTypes: true })) {
      if (entry.isDirectory() && entry.name.includes("-linux-")) folders.push(join(base, entry.name))
    }
  }
  return folders
}

/** `debian-12`: what unpacked packages are kept apart by. */
export const osRelease = () => {
  try {
    const text = readFileSync("/etc/os-release", "utf8")
    const field = (/** @type {string} */ name) => new RegExp(`^${name}="?([^"\\n]*)`, "mu").exec(text)?.[1]
    return `${field("ID") ?? "linux"}-${field("VERSION_ID") ?? field("VERSION_CODENAME") ?? "any"}`
  } catch {
    return "linux-any"
  }
}

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

/** Where the host itself gets Debian's packages, the archive of security updates aside. @returns {Promise<string | undefined>} */
const mirrorOfHost = async () => {
  const targets = await run("apt-get", ["indextargets", "--format", "$(SITE)", "Created-By: Packages"])
  return targets.stdout.split("\n").find((site) => site !== "" && !site.includes("security"))
}

/**
 * Options of apt for a system of these suites on which nothing is installed.
 * @param {string} parts @param {ReadonlyArray<string>} suites @param {string} mirror @returns {string[]}
 */
const otherSuites = (parts, suites, mirror) => {
  const [sources, status] = [join(parts, "sources.list"), join(parts, "status")]
  writeFileSync(sources, suites.map((suite) => `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`).join(""))
  writeFileSync(status, "")
  return [
    `Dir::Etc::SourceList=${sources}`,
    "Dir::Etc::SourceParts=-",
    `Dir::State::Status=${status}`,
    `APT::Default-Release=${suites.at(-1)}`
  ]
}

/**
 * Unpacks packages and what they need beyond the host's own into the folder `root`; the first is the one whose needs are
 * followed. From other suites than the host's own (of several the last is preferred) everything down to the C library is
 * unpacked, so that the programs run through its loader.
 * @param {string} home a folder of our own beside `root`
 * @param {string} root
 * @param {readonly [string, ...string[]]} packages
 * @param {ReadonlyArray<string>} [suites]
 * @returns {Promise<string | undefined>} what went wrong
 */
export const unpackDebian = async (home, root, packages, suites = []) => {
  const parts = join(home, "parts")
  rmSync(parts, { recursive: true, force: true })
  for (const name of ["root", "debs", "lists/partial", "cache/archives/partial"])
    mkdirSync(join(parts, name), { recursive: true })
  const mirror = suites.length === 0 ? "" : await mirrorOfHost()
  if (mirror === undefined) return "expected apt to know a mirror of Debian, got none: apt-get indextargets"
  const ownLists = [
    `Dir::State::Lists=${join(parts, "lists")}`,
    `Dir::Cache=${join(parts, "cache")}`,
    "Debug::NoLocking=1",
    "APT::Sandbox::User=root",
    ...(suites.length === 0 ? [] : otherSuites(parts, suites, mirror))
  ].flatMap((option) => ["-o", option])
  const apt = (/** @type {ReadonlyArray<string>} */ args) =>
    run("apt-get", args, { cwd: join(parts, "debs"), env: { ...process.env, LC_ALL: "C" }, timeoutMs: 120_000 })
  /** @param {ReadonlyArray<string>} options */
  const download = async (options) => {
    const plan = await apt([...options, "install", "-s", "--no-install-recommends", packages[0]])
    if (plan.code !== 0) return tail(plan.stderr, 2)
    const needed = [...plan.stdout.matchAll(/^Inst (\S+)/gmu)].map((match) => match[1] ?? "")
    const got = await apt([...options, "download", "-q", ...new Set([...needed, ...packages])])
    return got.code === 0 ? undefined : tail(got.stderr, 2)
  }
  // The host's lists may be empty, or so old that what they name is gone: then lists of our own.
  let problem = suites.length > 0 ? "" : await download(["-o", "APT::Sandbox::User=root"])
  if (problem !== undefined) {
    const update = await apt([...ownLists, "update", "-q"])
    problem = update.code === 0 ? await download(ownLists) : tail(update.stderr, 2)
  }
  if (problem !== undefined) return problem
  for (const file of readdirSync(join(parts, "debs"))) {
    const result = await run("dpkg-deb", ["-x", join(parts, "debs", file), join(parts, "root")])
    if (result.code !== 0) return tail(result.stderr, 2)
  }
  rmSync(root, { recursive: true, force: true })
  renameSync(join(parts, "root"), root)
  rmSync(parts, { recursive: true, force: true })
  return undefined
}
