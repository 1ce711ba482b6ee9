// Rows for which something else holds than a reader may expect, and rows for which there is no test yet.
import { notBuilt as attacksNotBuilt } from '../../test/conformance/attacks/not-built.mjs';

/** Row: why there is nothing to test. */
export const notBuilt = {
  ...attacksNotBuilt,
  L30: 'there are no workers yet',
  L31: 'there are no workers yet',
};

/** Row: what differs, and why. */
export const differs = {
  vS3: 'a first byte that could begin another protocol is waited behind; a whole HTTP request gets the page of a wrong protocol',
  vS17: 'with `strict`; otherwise served, with one warning',
  vS22: 'with `strict`; otherwise served, with one warning',
  vS25: 'a FIN within the body is an abort: nothing is written',
  vS29: 'with `half-close=serve`; without it the half-close is an abort',
  vS30: 'a value with two NULs would be well-formed pairs, which no reader can tell',
  vS32: '65,537 empty pairs are above maxEnvBytes, and get 431; under a higher limit 400',
  vU25: 'HTTP gets the page of a wrong protocol',
  vH1: 'behind a request that is not answered yet: one 400 for both',
  vH8: 'Node’s parser takes a chunk size of sixteen digits; nothing is set aside for it, and maxBody and bodyIdleTimeout bound it',
  vH10: 'at CONNECT node:http ends the connection without a byte',
  L17: 'over HTTP node:http paces bodies itself, and over AJP a body is asked for: nothing is paused, nothing counted',
  L18: 'a constant without a counter: no peer sees it',
  L20: 'write() says false exactly at the limit, as in Node',
  L24: 'over AJP a packet of no request closes at once',
  L26: 'over AJP a CPING that a request follows is free: web servers send one in front of every request',
  L28: 'the bound is of the log on stderr; a `log` function of the caller hears everything',
  L29: 'what runs when the grace is over is cut, its signal fires, and nothing is waited for',
  L33: 'an AJP secret has 1 to 255 bytes',
  S5: 'the order of CONTENT_LENGTH and SCGI is checked with `strict` alone; a warning otherwise',
  D3: 'empty records of a running request have no count: they do not put off the clock of its head',
  D17: 'line ends that the application itself writes stay line ends; every other control is escaped',
  D18: 'over FastCGI the cause of a failure goes to STDERR, which is the log of the web server',
  'fault 30':
    'while the application holds a body back, its socket is not read, and it hears of the leaving when it reads on',
  'fault 36': 'the peer sees the end and the reset together',
  'fault 37': 'answered requests of fast clients are counted, not timed',
  'fault 41': 'the line is written while at least one connection is open',
  'fault 44': 'libuv itself ignores it',
};
