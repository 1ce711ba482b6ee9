import { readFileSync } from 'node:fs';

/**
 * The variables of the process as it was started: flat [name, value, …], bytes as latin-1. Where Linux tells them, they
 * are the very bytes; elsewhere Node has taken them for UTF-8.
 */
export function initialEnvironment(): string[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync('/proc/self/environ');
  } catch {
    const text = Object.entries(process.env).map(([name, value]) => `${name}=${value}\0`);
    bytes = Buffer.from(text.join(''));
  }
  const flat: string[] = [];
  for (const entry of bytes.toString('latin1').split('\0')) {
    const at = entry.indexOf('=');
    if (at > 0) flat.push(entry.slice(0, at), entry.slice(at + 1));
  }
  return flat;
}

/** Of the process, its shell and its service manager: a request has none of these. */
const ofTheProcess = new Set([
  ...['PATH', 'HOME', 'PWD', 'OLDPWD', 'SHELL', 'SHLVL', '_', 'IFS', 'PS1', 'PS2', 'PS4', 'ENV', 'BASH_ENV', 'MAIL'],
  ...['USER', 'LOGNAME', 'USERNAME', 'HOSTNAME', 'LANG', 'LANGUAGE', 'TZ', 'TERM', 'COLORTERM', 'LINES', 'COLUMNS'],
  ...['TMPDIR', 'TMP', 'TEMP', 'EDITOR', 'VISUAL', 'PAGER', 'DISPLAY', 'NO_COLOR', 'FORCE_COLOR', 'INIT_CWD'],
  ...['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'NOTIFY_SOCKET', 'WATCHDOG_PID', 'WATCHDOG_USEC', 'MAINPID'],
  ...['INVOCATION_ID', 'JOURNAL_STREAM', 'SYSTEMD_EXEC_PID', 'MEMORY_PRESSURE_WATCH', 'MEMORY_PRESSURE_WRITE'],
  ...['CREDENTIALS_DIRECTORY', 'RUNTIME_DIRECTORY', 'STATE_DIRECTORY', 'CACHE_DIRECTORY', 'LOGS_DIRECTORY'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'OPENSSL_CONF', 'OPENSSL_MODULES', 'UV_THREADPOOL_SIZE', 'UV_USE_IO_URING'],
  ...['AJP_SECRET'],
]);
const prefixes = /^(?:LC_|LD_|DYLD_|NODE_|npm_|NVM_|XDG_|SSH_|SUDO_|DBUS_|MALLOC_|BASH_FUNC_)/;
/** What no variable of a request may hold in its name: the process may have inherited others. */
const NAME = /^[!-<>-~]+$/;

/** The variables of a request among those of its process: what the web server and its configuration set. */
export function requestVariables(environment: readonly string[]): string[] {
  const flat: string[] = [];
  for (let i = 0; i < environment.length; i += 2) {
    const name = environment[i];
    if (!ofTheProcess.has(name) && !prefixes.test(name) && NAME.test(name)) flat.push(name, environment[i + 1]);
  }
  return flat;
}
