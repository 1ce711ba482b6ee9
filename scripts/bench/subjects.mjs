/**
 * The servers that are measured. `kept`: its connections are used again and again; otherwise each request has one of its
 * own. `packages`: what of this repository it needs built.
 */
export const subjects = {
  'node:http': { server: 'node-http', wire: 'http', kept: true, packages: [] },
  '@hono/node-server': { server: 'hono', wire: 'http', kept: true, packages: [] },
  environ: { server: 'environ', wire: 'fastcgi', kept: true, packages: ['server', 'fastcgi'] },
  fetch: { server: 'fetch', wire: 'fastcgi', kept: true, packages: ['server', 'fastcgi', 'fetch'] },
  node: { server: 'node', wire: 'fastcgi', kept: true, packages: ['server', 'fastcgi', 'node'] },
  'environ-close': { server: 'environ', wire: 'fastcgi', kept: false, packages: ['server', 'fastcgi'] },
  'node-close': { server: 'node', wire: 'fastcgi', kept: false, packages: ['server', 'fastcgi', 'node'] },
  'node-fastcgi': { server: 'node-fastcgi', wire: 'fastcgi', kept: false, packages: [] },
};

/**
 * What is compared with what, in the order it is told. `most`: the ratio that must hold. `scenarios`: in these alone.
 * Node-fastcgi closes each connection after one reply, so it is compared with its like.
 */
export const comparisons = [
  { of: 'environ', to: 'node:http', scenarios: ['hello'], most: 0.75 },
  { of: 'environ', to: 'node:http', scenarios: ['mixed', 'json', 'post'] },
  { of: 'fetch', to: 'node:http' },
  { of: 'node', to: 'node:http' },
  { of: '@hono/node-server', to: 'node:http' },
  { of: 'fetch', to: '@hono/node-server' },
  { of: 'environ-close', to: 'node-fastcgi', scenarios: ['hello'] },
  { of: 'node-close', to: 'node-fastcgi', scenarios: ['hello'] },
];
