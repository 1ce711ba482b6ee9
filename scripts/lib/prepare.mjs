// What a fresh clone needs before it runs: a new enough Node, the packages of package-lock.json, the build.
// Nothing but Node itself is used here, and no syntax that a Node of some years ago cannot read.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What is wrong, where, and what to do: one line. */
class PrepareError extends Error {}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

/** @throws PrepareError */
function checkNode() {
  const [, major, minor] = /([0-9]+)\.([0-9]+)/.exec(readJson('package.json').engines.node).map(Number);
  const own = process.versions.node.split('.').map(Number);
  if (own[0] > major || (own[0] === major && own[1] >= minor)) return;
  throw new PrepareError(
    `Node ${process.versions.node} is too old: Postern needs ${major}.${minor} or newer (https://nodejs.org)`,
  );
}

/** Whether every package of package-lock.json is there in its version; what is optional may be absent. */
function isInstalled() {
  let installed;
  try {
    installed = readJson('node_modules/.package-lock.json').packages;
  } catch {
    return false;
  }
  return Object.entries(readJson('package-lock.json').packages).every(([path, wanted]) => {
    if (path === '') return true;
    const found = installed[path];
    return found === undefined ? wanted.optional === true : found.version === wanted.version;
  });
}

/** Runs a program; a signal that ends us ends it too. @returns its exit code and all that it wrote */
function run(command, args) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32' && command === 'npm',
    });
    const forward = (signal) => child.kill(signal);
    const take = (chunk) => {
      output += chunk;
    };
    const done = (code) => {
      process.off('SIGINT', forward);
      process.off('SIGTERM', forward);
      resolve({ code, output });
    };
    process.on('SIGINT', forward);
    process.on('SIGTERM', forward);
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => {
      output += error.message;
      done(1);
    });
    child.on('close', (code, signal) => {
      if (signal === null) done(code);
      else process.exit(1);
    });
  });
}

/** @throws PrepareError */
async function install() {
  // the versions of package-lock.json, which stays as it is; npm ci of npm 11 refuses a lock without the optional packages
  // of every platform. devDependencies hold the compiler, also where NODE_ENV says "production"
  const args = ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund'];
  const npm = process.env.npm_execpath;
  const own = Boolean(npm?.endsWith('npm-cli.js'));
  const { code, output } = await run(own ? process.execPath : 'npm', own ? [npm, ...args] : args);
  if (code === 0) return;
  throw new PrepareError(
    `npm install failed: ${npmReason(output)}: see that the registry can be reached, then run "npm install" to see all of it`,
  );
}

/** What npm complains about, of the many lines that it writes. */
function npmReason(output) {
  const lines = [...output.matchAll(/^npm (?:error|ERR!) (.*)$/gm)].map((match) => match[1]);
  const telling = lines.filter((line) => !/^(?:code|errno|syscall|path|A complete log|\s)/.test(line));
  const reason = telling.find((line) => line.includes('reason:')) || telling[0] || output.trim().split('\n').pop();
  return reason.replace(/^network /, '') || 'it said nothing';
}

/** @throws PrepareError */
async function build(projects) {
  const { code, output } = await run(process.execPath, [join(root, 'scripts/build.mjs'), ...projects]);
  if (code === 0) return;
  process.stderr.write(output);
  throw new PrepareError('the build failed (npm run build): what it said stands above');
}

/**
 * Installs and builds what is missing or stale. Ends the process with one line when that cannot be done: exit code 1, or
 * 2 where Node is too old.
 * @param options.quiet tells nothing as long as nothing fails
 * @param options.projects the folders to build, with all that they need; none: everything
 */
export async function prepare({ quiet = false, projects = [] } = {}) {
  const tell = quiet ? () => {} : (line) => process.stderr.write(`${line}\n`);
  let exitCode = 2;
  try {
    checkNode();
    exitCode = 1;
    if (!isInstalled()) {
      tell('installing the packages of package-lock.json (npm install)');
      await install();
    }
    if (!existsSync(join(root, 'packages/postern/dist/cli.js'))) tell('building (npm run build)');
    await build(projects);
  } catch (error) {
    if (!(error instanceof PrepareError)) throw error;
    process.stderr.write(`ERR_PREPARE: ${error.message}\n`);
    process.exit(exitCode);
  }
}
