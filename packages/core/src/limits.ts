import { ConfigError } from './errors.ts';

/**
 * Every number that bounds what a peer can make the process do, with the precedent it follows. Times are in
 * milliseconds, sizes in bytes. `ceiling` is the highest value that can be set; `zero` says what 0 means where it is
 * allowed.
 */
export const limitTable = {
  maxConnections: {
    default: 1024,
    ceiling: 1_000_000,
    text: 'open connections; the next one is closed at once',
    precedent: 'nginx worker_connections 512',
  },
  maxConcurrentPerConnection: {
    default: 128,
    ceiling: 1024,
    text: 'requests at once on one FastCGI connection; told as FCGI_MAX_REQS',
    precedent: 'HTTP/2 servers: 100 to 128 streams',
  },
  maxConnectionRequests: {
    default: 10_000,
    ceiling: 1_000_000_000,
    text: 'requests on one kept connection',
    precedent: 'nginx keepalive_requests 1000',
  },
  maxEnvBytes: {
    default: 131_072,
    ceiling: 1_048_576,
    text: 'bytes of the request variables',
    precedent: 'nginx sends at most 65,535',
  },
  maxEnvCount: {
    default: 1000,
    ceiling: 10_000,
    text: 'variables of a request',
    precedent: 'gunicorn 1000 uwsgi variables',
  },
  maxNameBytes: {
    default: 256,
    ceiling: 4096,
    text: 'bytes of a variable name',
    precedent: 'the longest names in use have about 60',
  },
  maxValueBytes: {
    default: 65_535,
    ceiling: 1_048_576,
    text: 'bytes of a variable value',
    precedent: 'httpd LimitRequestFieldSize 8190',
  },
  maxParamsRecords: {
    default: 1024,
    ceiling: 65_536,
    text: 'PARAMS records of a FastCGI request',
    precedent: 'httpd splits at 16 KiB: at most 8',
  },
  maxJunkRecords: {
    default: 64,
    ceiling: 65_536,
    text: 'FastCGI records of no request, management records and requests aborted in their head, without a head between',
    precedent: 'ws counts empty fragments',
  },
  maxBody: {
    default: 0,
    ceiling: Number.MAX_SAFE_INTEGER,
    zero: 'unlimited',
    text: 'bytes of a request body',
    precedent: 'nginx client_max_body_size bounds it before',
  },
  bodyHighWater: {
    default: 65_536,
    ceiling: 16_777_216,
    text: 'bytes of a request body that wait for the application',
    precedent: 'Node streams: 64 KiB',
  },
  sharedBodyHighWater: {
    default: 1_048_576,
    ceiling: 16_777_216,
    text: 'bytes of a request body that wait in memory where other requests share the connection',
    precedent: 'HTTP/2 servers: a window of 1 MiB for a stream',
  },
  maxSpoolBytes: {
    default: 1_073_741_824,
    ceiling: 1_099_511_627_776,
    zero: 'none',
    text: 'bytes of request bodies in temporary files, all connections together: what waits beyond sharedBodyHighWater',
    precedent: 'nginx client_body_temp_path is bounded by client_max_body_size',
  },
  stallTimeout: {
    default: 5000,
    ceiling: 3_600_000,
    text: 'how long a body that nobody reads, and that finds no room, keeps others on its connection waiting; then its request is answered 503',
    precedent: 'none: FastCGI has no flow control for one request of many',
  },
  replyHighWater: {
    default: 65_536,
    ceiling: 16_777_216,
    text: 'bytes of a reply that wait for the peer before write() says false',
    precedent: 'Node streams: 64 KiB',
  },
  maxReplyHeaders: { default: 256, ceiling: 10_000, text: 'header fields of a reply', precedent: 'h2o accepts 100' },
  maxReplyHeaderBytes: {
    default: 65_535,
    ceiling: 1_048_576,
    text: 'bytes of the header block of a reply',
    precedent: 'lighttpd reads 64 KiB, nginx 4 or 8 KiB',
  },
  maxStderrBytes: {
    default: 65_536,
    ceiling: 16_777_216,
    text: 'bytes of STDERR of a request; the rest is counted',
    precedent: 'nginx logs 4 KiB a line',
  },
  headersTimeout: {
    default: 10_000,
    ceiling: 3_600_000,
    text: 'from the first byte of a request to its complete head',
    precedent: 'php-fpm 5 s',
  },
  bodyIdleTimeout: {
    default: 30_000,
    ceiling: 3_600_000,
    text: 'silence while the application waits for the body',
    precedent: 'nginx client_body_timeout 60 s',
  },
  appTimeout: {
    default: 55_000,
    ceiling: 86_400_000,
    zero: 'no limit',
    text: 'from the head of the request, or the latest bytes of its body, to the head of the reply',
    precedent: 'nginx and httpd give up after 60 s',
  },
  writeTimeout: {
    default: 60_000,
    ceiling: 3_600_000,
    text: 'silence while the peer should read the reply',
    precedent: 'nginx send_timeout 60 s',
  },
  keepAliveTimeout: {
    default: 90_000,
    ceiling: 86_400_000,
    text: 'silence on a kept connection between requests',
    precedent: 'nginx upstream keepalive_timeout 60 s, so that it closes first',
  },
  lingerTimeout: {
    default: 2000,
    ceiling: 30_000,
    text: 'how long unread input is drained before a close',
    precedent: 'nginx lingering_timeout 5 s',
  },
  lingerBytes: {
    default: 104_857_600,
    ceiling: 1_073_741_824,
    text: 'how much unread input is drained before a close: a web server may send all of an upload before it reads the refusal',
    precedent: 'Go net/http/fcgi 100 MB',
  },
  grace: {
    default: 30_000,
    ceiling: 86_400_000,
    text: 'how long running requests may take after a stop was asked',
    precedent: 'gunicorn graceful_timeout 30 s',
  },
} as const satisfies Record<
  string,
  { default: number; ceiling: number; zero?: string; text: string; precedent: string }
>;

export type LimitName = keyof typeof limitTable;
export type Limits = { readonly [name in LimitName]: number };

/**
 * The limits with some of them set.
 * @throws ConfigError ERR_OPTION: an unknown name, no whole number, above the ceiling, or a 0 that has no meaning
 */
export function limitsWith(set: Partial<Record<LimitName, number>> = {}): Limits {
  const limits: Record<string, number> = {};
  for (const name of Object.keys(limitTable) as LimitName[]) limits[name] = limitTable[name].default;
  for (const [name, value] of Object.entries(set)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(limitTable, name))
      throw new ConfigError('ERR_OPTION', `limit ${name}: there is no such limit; docs/reference/limits.md lists them`);
    const row: { ceiling: number; zero?: string } = limitTable[name as LimitName];
    const least = row.zero === undefined ? 1 : 0;
    if (!Number.isInteger(value) || value < least || value > row.ceiling) {
      throw new ConfigError(
        'ERR_OPTION',
        `limit ${name}: ${value} is not a whole number from ${least} to ${row.ceiling}`,
      );
    }
    limits[name] = value;
  }
  // a copy has a fast shape; what is filled name by name in a loop is a dictionary
  return { ...(limits as Limits) };
}
