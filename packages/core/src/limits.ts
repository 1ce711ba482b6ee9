import { ConfigError } from './errors.ts';

/**
 * Every number that bounds what a peer can make the process do, with the precedent it follows. Times are in
 * milliseconds, sizes in bytes. `ceiling` is the highest value that can be set; `zero` says what 0 means where it is
 * allowed; `answer`, what a peer gets that is above it; `row` is its number among the limits that are tested.
 */
export const limitTable = {
  maxConnections: {
    row: 'L1',
    default: 1024,
    ceiling: 1_000_000,
    text: 'open connections; by default no more than 80 % of the files that the system lets a process open',
    answer: 'the next 64 connections: 503 with Retry-After to the first request, then the end; beyond those a close',
    precedent: 'nginx worker_connections 512',
  },
  maxConcurrent: {
    row: 'L3',
    default: 1000,
    ceiling: 1_000_000,
    text: 'running requests of a server; one whose peer left counts until the promise of its application settles',
    answer: '503 with Retry-After',
    precedent: 'gunicorn worker_connections 1000',
  },
  maxConcurrentPerConnection: {
    row: 'L4',
    default: 128,
    ceiling: 1024,
    text: 'requests at once on one FastCGI connection; told as FCGI_MAX_REQS',
    answer: '503 with Retry-After; FastCGI CANT_MPX_CONN where it is 1; HTTP: a close',
    precedent: 'HTTP/2 servers: 100 to 128 streams',
  },
  maxConnectionRequests: {
    row: 'L16',
    default: 10_000,
    ceiling: 1_000_000_000,
    text: 'requests on one kept connection',
    answer: 'the end of the connection behind the last reply',
    precedent: 'nginx keepalive_requests 1000',
  },
  maxEnvBytes: {
    row: 'L5',
    default: 131_072,
    ceiling: 1_048_576,
    text: 'bytes of the request variables',
    answer: '431',
    precedent: 'nginx sends at most 65,535',
  },
  maxEnvCount: {
    row: 'L6',
    default: 1000,
    ceiling: 10_000,
    text: 'variables of a request',
    answer: '431',
    precedent: 'gunicorn 1000 uwsgi variables',
  },
  maxNameBytes: {
    row: 'L7',
    default: 256,
    ceiling: 4096,
    text: 'bytes of a variable name',
    answer: '431',
    precedent: 'the longest names in use have about 60',
  },
  maxValueBytes: {
    row: 'L7',
    default: 65_535,
    ceiling: 1_048_576,
    text: 'bytes of a variable value',
    answer: '431',
    precedent: 'httpd LimitRequestFieldSize 8190',
  },
  maxParamsRecords: {
    row: 'L8',
    default: 1024,
    ceiling: 65_536,
    text: 'PARAMS records of a FastCGI request',
    answer: '431',
    precedent: 'httpd splits at 16 KiB: at most 8',
  },
  maxJunkRecords: {
    row: 'L24',
    default: 64,
    ceiling: 65_536,
    text: 'FastCGI records that belong to no request, without a request between that was answered',
    answer: 'a close',
    precedent: 'ws counts empty fragments',
  },
  maxAbortedRequests: {
    row: 'L25',
    default: 100,
    ceiling: 1_000_000,
    text: 'requests of one FastCGI connection in ten seconds that are aborted before their reply',
    answer: 'a close',
    precedent: 'HTTP/2 servers count resets since CVE-2023-44487',
  },
  maxManagementMessages: {
    row: 'L26',
    default: 100,
    ceiling: 1_000_000,
    text: 'messages about one connection in ten seconds: FastCGI GET_VALUES and records of unknown types, AJP CPING that no request follows',
    answer: 'a close',
    precedent: 'HTTP/2 servers count pings since CVE-2019-9512',
  },
  maxBody: {
    row: 'L19',
    default: 0,
    ceiling: Number.MAX_SAFE_INTEGER,
    zero: 'unlimited',
    text: 'bytes of a request body',
    answer: '413',
    precedent: 'nginx client_max_body_size bounds it before',
  },
  bodyHighWater: {
    row: 'L17',
    default: 65_536,
    ceiling: 16_777_216,
    text: 'bytes of a request body that wait for the application',
    answer: 'it waits: its connection is not read',
    precedent: 'Node streams: 64 KiB',
  },
  sharedBodyHighWater: {
    row: 'L17',
    default: 1_048_576,
    ceiling: 16_777_216,
    text: 'bytes of a request body that wait in memory where other requests share the connection',
    answer: 'nothing: the rest goes to a temporary file',
    precedent: 'HTTP/2 servers: a window of 1 MiB for a stream',
  },
  maxSpoolBytes: {
    row: 'L17',
    default: 1_073_741_824,
    ceiling: 1_099_511_627_776,
    zero: 'none',
    text: 'bytes of request bodies in temporary files, all connections together: what waits beyond sharedBodyHighWater',
    answer: 'it waits: its connection is not read',
    precedent: 'nginx client_body_temp_path is bounded by client_max_body_size',
  },
  stallTimeout: {
    row: 'L17',
    default: 5000,
    ceiling: 3_600_000,
    text: 'how long a body that nobody reads, and that finds no room, keeps others on its connection waiting; then its request is answered 503',
    answer: '503',
    precedent: 'none: FastCGI has no flow control for one request of many',
  },
  replyHighWater: {
    row: 'L20',
    default: 262_144,
    ceiling: 16_777_216,
    text: 'bytes of a reply that wait for the peer before write() says false',
    answer: 'nothing: the application waits',
    precedent: 'Node streams: 64 KiB; of chunks of 64 KiB four go in one write',
  },
  maxReplyHeaders: {
    row: 'L22',
    default: 256,
    ceiling: 10_000,
    text: 'header fields of a reply',
    answer: '500',
    precedent: 'h2o accepts 100',
  },
  maxReplyHeaderBytes: {
    row: 'L21',
    default: 65_535,
    ceiling: 1_048_576,
    text: 'bytes of the header block of a reply',
    answer: '500',
    precedent: 'lighttpd reads 64 KiB, nginx 4 or 8 KiB',
  },
  maxStderrBytes: {
    row: 'L23',
    default: 65_536,
    ceiling: 16_777_216,
    text: 'bytes of STDERR of a request; the rest is dropped',
    answer: 'less in its error log',
    precedent: 'nginx logs 4 KiB a line',
  },
  maxStderrLineBytes: {
    row: 'L23',
    default: 8192,
    ceiling: 1_048_576,
    text: 'bytes of a line of STDERR; the rest of it is counted',
    answer: 'less in its error log',
    precedent: 'httpd logs at most 8 KiB a line',
  },
  headersTimeout: {
    row: 'L10',
    default: 10_000,
    ceiling: 3_600_000,
    text: 'from the first byte of a request to its complete head',
    answer: '408 where a request can be answered already, else a close',
    precedent: 'php-fpm 5 s',
  },
  bodyIdleTimeout: {
    row: 'L11',
    default: 30_000,
    ceiling: 3_600_000,
    text: 'silence while the application waits for the body',
    answer: '408, or the end of a reply that has begun',
    precedent: 'nginx client_body_timeout 60 s',
  },
  minBodyRate: {
    row: 'L12',
    default: 0,
    ceiling: 1_073_741_824,
    zero: 'off',
    text: 'bytes a second of a body that the application waits for, over ten seconds',
    answer: '408, or the end of a reply that has begun',
    precedent: 'httpd RequestReadTimeout MinRate=500',
  },
  appTimeout: {
    row: 'L13',
    default: 55_000,
    ceiling: 86_400_000,
    zero: 'no limit',
    text: 'from the head of the request, or the latest bytes of its body, to the head of the reply',
    answer: '504',
    precedent: 'nginx and httpd give up after 60 s',
  },
  writeTimeout: {
    row: 'L14',
    default: 60_000,
    ceiling: 3_600_000,
    text: 'silence while the peer should read the reply',
    answer: 'a reset',
    precedent: 'nginx send_timeout 60 s',
  },
  keepAliveTimeout: {
    row: 'L15',
    default: 90_000,
    ceiling: 86_400_000,
    text: 'silence on a kept connection between requests',
    answer: 'the end of the connection',
    precedent: 'nginx upstream keepalive_timeout 60 s, so that it closes first',
  },
  lingerTimeout: {
    row: 'L27',
    default: 2000,
    ceiling: 30_000,
    text: 'how long unread input is drained before a close',
    answer: 'a close',
    precedent: 'nginx lingering_timeout 5 s',
  },
  lingerBytes: {
    row: 'L27',
    default: 104_857_600,
    ceiling: 1_073_741_824,
    text: 'how much unread input is drained before a close: a web server may send all of an upload before it reads the refusal',
    answer: 'it waits, up to lingerTimeout',
    precedent: 'Go net/http/fcgi 100 MB',
  },
  grace: {
    row: 'L29',
    default: 30_000,
    ceiling: 86_400_000,
    text: 'how long running requests may take after a stop was asked',
    answer: 'the end of what runs',
    precedent: 'gunicorn graceful_timeout 30 s',
  },
  maxLogLines: {
    row: 'L28',
    default: 20,
    ceiling: 1_000_000,
    text: 'lines of one kind that go to stderr in a second; the rest are counted in one more',
    answer: 'nothing',
    precedent: 'journald RateLimitBurst',
  },
  maxLogLineBytes: {
    row: 'L28',
    default: 4096,
    ceiling: 1_048_576,
    text: 'bytes of a line that goes to stderr; the rest of it is counted',
    answer: 'nothing',
    precedent: 'nginx cuts at 2 KiB, httpd at 8 KiB',
  },
} as const satisfies Record<
  string,
  { row: string; default: number; ceiling: number; zero?: string; text: string; answer: string; precedent: string }
>;

export type LimitName = keyof typeof limitTable;
export type Limits = { readonly [name in LimitName]: number };

/** `packetSize` is a limit too, and set for each address of AJP. */
export type CountedLimit = LimitName | 'packetSize';

/**
 * How often each limit was hit: what was above it refused, cut, or made to wait. An error that tells of one names it and
 * is counted where it is reported; what is no error is counted where it happens.
 */
export type LimitCounts = { [name in CountedLimit]: number };

export function limitCounts(): LimitCounts {
  const counts: Record<string, number> = { packetSize: 0 };
  for (const name of Object.keys(limitTable)) counts[name] = 0;
  return { ...(counts as LimitCounts) };
}

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
