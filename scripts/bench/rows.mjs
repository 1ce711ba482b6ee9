/**
 * What `npm run bench` measures, a row for each goal, in the order of the table; behind them rows without a bound, beside
 * which others stand.
 *
 * A row:
 *   name      short and plain; what `--only` and `npm run bench:one` take
 *   text      what is measured
 *   against   what it is compared with
 *   most      the ratio that must hold; undefined: it is told, no more
 *   measure   the module of measures/ that measures it
 * and whatever that module wants to know besides. For `requests`: `of` and `to` as [server, wire] of servers/ and
 * wires.mjs, or in the place of `to` a `peer` of peers/; `anyScenario`: `--scenario` can ask it something else.
 *
 * A module of measures/ exports
 *
 *   async function measure(row, options, context)
 *     → { samples: { of: number[], to: number[] }, unit: string, notes?: string[] }
 *     → { absent: string }
 *
 * `of` is ours, `to` what it is compared with: the same number of each, two or more, a pair for each round, and less is
 * better. The ratio is the median of the pairs' ratios. `unit` is that of the samples, for a person. `notes` are lines
 * that are printed below the table. `absent` says what is not installed. What goes wrong is thrown.
 *
 *   options   { rounds, connections, seconds, requests?, transport: 'unix' | 'tcp', scenario? }, see options.mjs;
 *             no further round begins when the seconds are used up, but four are made in any case
 *   context   { folder, running, row, profile?, profiles }
 *             folder: for sockets and other files, new for each row, removed at the end
 *             running: a set of what is to be ended with the bench, each with a method `end()`
 *             row: its name; profile: a folder, and profiles: the files in it; ChildServer sees to them
 *
 * A server process is a ChildServer (child-server.mjs), which pins it to a core and profiles it; another program is
 * started by `startProgram` of programs.mjs, which pins it too. The load comes from this process, pinned to another core.
 * `pairedRounds` of rounds.mjs makes the rounds of two samplers.
 */
export const rows = [
  {
    name: 'waist',
    text: 'a handler that touches nothing, FastCGI',
    against: 'node:http, the same answer',
    most: 0.5,
    measure: 'requests',
    of: ['waist', 'fastcgi'],
    to: ['waist', 'http'],
    scenario: 'constant',
  },
  {
    name: 'route',
    text: 'environ, routes on method and path, FastCGI',
    against: 'node:http, routes likewise',
    most: 0.58,
    measure: 'requests',
    of: ['route', 'fastcgi'],
    to: ['route', 'http'],
    scenario: 'constant',
  },
  {
    name: 'route-ajp',
    text: 'environ, routes on method and path, AJP',
    against: 'node:http, routes likewise',
    most: 0.58,
    measure: 'requests',
    of: ['route', 'ajp'],
    to: ['route', 'http'],
    scenario: 'constant',
  },
  {
    name: 'fetch',
    text: 'fetch handler, FastCGI',
    against: 'the same on @hono/node-server',
    most: 0.6,
    measure: 'requests',
    of: ['fetch', 'fastcgi'],
    to: ['fetch', 'http'],
    scenario: 'hello',
    anyScenario: true,
  },
  {
    name: 'hono',
    text: 'Hono app, FastCGI',
    against: 'the same on @hono/node-server',
    most: 0.6,
    measure: 'requests',
    of: ['hono', 'fastcgi'],
    to: ['hono', 'http'],
    scenario: 'hello',
  },
  {
    name: 'node',
    text: '(req, res), FastCGI',
    against: 'the same on node:http',
    most: 0.76,
    measure: 'requests',
    of: ['node', 'fastcgi'],
    to: ['node', 'http'],
    scenario: 'hello',
    anyScenario: true,
  },
  {
    name: 'environ',
    text: 'environ, FastCGI',
    against: '(req, res) on node:http',
    most: 0.75,
    measure: 'requests',
    of: ['environ', 'fastcgi'],
    to: ['node', 'http'],
    scenario: 'hello',
    anyScenario: true,
  },
  {
    name: 'express',
    text: 'Express 5, FastCGI',
    against: 'the same on node:http',
    most: 0.78,
    measure: 'requests',
    of: ['express', 'fastcgi'],
    to: ['express', 'http'],
    scenario: 'hello',
  },
  {
    name: 'fastify',
    text: 'Fastify 5, FastCGI',
    against: 'the same on node:http',
    most: 0.78,
    measure: 'requests',
    of: ['fastify', 'fastcgi'],
    to: ['fastify', 'http'],
    scenario: 'hello',
  },
  {
    name: 'scgi',
    text: 'environ, SCGI, a connection a request',
    against: 'node:http with Connection: close',
    most: 0.85,
    measure: 'requests',
    of: ['environ', 'scgi'],
    to: ['node', 'http-close'],
    scenario: 'hello',
    anyScenario: true,
  },
  {
    name: 'uwsgi',
    text: 'environ, uwsgi, a connection a request',
    against: 'node:http with Connection: close',
    most: 0.85,
    measure: 'requests',
    of: ['environ', 'uwsgi'],
    to: ['node', 'http-close'],
    scenario: 'hello',
    anyScenario: true,
  },
  {
    name: 'upload-fastcgi',
    text: 'upload of 1 MB, read and hashed, FastCGI',
    against: 'node:http',
    most: 1,
    measure: 'bodies',
    body: 'upload',
    wire: 'fastcgi',
  },
  {
    name: 'upload-ajp',
    text: 'upload of 1 MB, read and hashed, AJP with packets of 64 KiB',
    against: 'node:http',
    most: 1,
    measure: 'bodies',
    body: 'upload',
    wire: 'ajp',
  },
  {
    name: 'reply-fastcgi',
    text: 'reply of 1 MB in chunks of 64 KiB, FastCGI',
    against: 'node:http',
    most: 1,
    measure: 'bodies',
    body: 'reply',
    wire: 'fastcgi',
  },
  {
    name: 'reply-ajp',
    text: 'reply of 1 MB in chunks of 64 KiB, AJP with packets of 64 KiB',
    against: 'node:http',
    most: 1,
    measure: 'bodies',
    body: 'reply',
    wire: 'ajp',
  },
  {
    name: 'nginx-environ',
    text: 'environ behind nginx over FastCGI, the CPU of both',
    against: 'node:http behind proxy_pass with keep-alive',
    most: 0.85,
    measure: 'nginx',
    app: 'environ',
  },
  {
    name: 'nginx-node',
    text: '(req, res) behind nginx over FastCGI, the CPU of both',
    against: 'node:http behind proxy_pass with keep-alive',
    most: 0.95,
    measure: 'nginx',
    app: 'node',
  },
  {
    name: 'p99',
    text: "p99 latency at half of node:http's saturating load, environ over FastCGI",
    against: 'node:http',
    most: 1,
    measure: 'latency',
  },
  {
    name: 'idle-memory',
    text: 'memory of 10,000 idle kept connections, FastCGI',
    against: 'node:http',
    most: 1,
    measure: 'memory',
  },
  {
    name: 'startup',
    text: '`postern serve`, start to listening',
    against: '`node` with a bare node:http server',
    most: 1.5,
    measure: 'startup',
  },
  {
    name: 'grow-connections',
    text: 'CPU a request at 1, 8, 512 and 4000 connections, the worst',
    against: 'the same at 64',
    most: 1.25,
    measure: 'growth',
    grow: 'connections',
  },
  {
    name: 'grow-variables',
    text: 'CPU a request of a further variable, from 100 to 200',
    against: 'the same from 20 to 100',
    most: 1.25,
    measure: 'growth',
    grow: 'variables',
  },
  {
    name: 'grow-streams',
    text: 'memory late in event streams to 5000 clients',
    against: 'the same early',
    most: 1.25,
    measure: 'growth',
    grow: 'streams',
  },
  {
    name: 'floor',
    text: 'bare handles: cut FastCGI records and answer a constant',
    against: 'node:http, the same answer',
    measure: 'requests',
    of: ['floor', 'fastcgi'],
    to: ['floor', 'http'],
    scenario: 'constant',
  },
  {
    name: 'floor-close',
    text: 'bare handles: answer a constant, a connection a request',
    against: 'node:http with Connection: close, the same answer',
    measure: 'requests',
    of: ['floor', 'scgi'],
    to: ['floor', 'http-close'],
    scenario: 'constant',
  },
  {
    name: 'node-fastcgi',
    text: '(req, res), FastCGI, a connection a request',
    against: 'node-fastcgi, which closes each connection',
    measure: 'requests',
    of: ['node', 'fastcgi-close'],
    to: ['node-fastcgi', 'fastcgi-close'],
    scenario: 'hello',
  },
  {
    name: 'go',
    text: 'environ, FastCGI',
    against: "Go's net/http/fcgi",
    measure: 'requests',
    of: ['environ', 'fastcgi'],
    peer: 'go',
    scenario: 'hello',
  },
  {
    name: 'php-fpm',
    text: 'environ, FastCGI',
    against: 'PHP-FPM',
    measure: 'requests',
    of: ['environ', 'fastcgi'],
    peer: 'php-fpm',
    scenario: 'hello',
  },
  {
    name: 'uwsgi-python',
    text: 'environ, uwsgi, a connection a request',
    against: 'uWSGI with Python',
    measure: 'requests',
    of: ['environ', 'uwsgi'],
    peer: 'uwsgi',
    scenario: 'hello',
  },
  {
    name: 'tomcat',
    text: 'environ, AJP over TCP',
    against: 'Tomcat with a servlet',
    measure: 'requests',
    of: ['environ', 'ajp'],
    peer: 'tomcat',
    transport: 'tcp',
    scenario: 'hello',
  },
];
