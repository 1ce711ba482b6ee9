import { ajp } from './survivors-ajp.mjs';
import { core } from './survivors-core.mjs';
import { fastcgi } from './survivors-fastcgi.mjs';

/**
 * Why a change to the code may pass every test, by package and file. `from` and `to` are the code before and after it, on
 * one line each; a `from` that ends with "…" is the beginning of it. Where the same change can be made in several places,
 * `in` is a part of the line that is meant. An entry without `in` is for all of them.
 */
export const explanations = {
  fastcgi,
  scgi: {},
  ajp,
  uwsgi: {
    'head.ts': [
      {
        from: 'notice === undefined',
        to: 'true',
        why: 'The names are looked through again with each request: slower, with the same outcome.',
      },
    ],
  },
  wire: {
    'byte-queue.ts': [
      {
        from: 'false',
        to: 'true',
        in: '#lent = false',
        why: 'Nothing is borrowed before the first push, which says so anew.',
      },
      {
        from: 'at < front.length',
        to: 'false',
        why: 'A short cut: the loop behind it finds the same byte in the first chunk.',
      },
      {
        from: 'this.#at >= this.#chunks[this.#first].length',
        to: 'true',
        in: 'else if',
        why: 'A short cut: where the front still has bytes there is nothing to drop.',
      },
      ...[
        ['this.#chunks.length === 1', 'false'],
        ['this.#chunks.length > 0', 'true'],
        ['this.#chunks.length > 0', 'this.#chunks.length >= 0'],
      ].map(([from, to]) => ({ from, to, why: 'A short cut: the array is empty behind it either way.' })),
      ...['this.#first >= 64', 'true'].map((to) => ({
        from: 'this.#first > 64',
        to,
        why: 'When places are given back is a matter of speed alone; that it happens is tested.',
      })),
      {
        from: 'this.#first * 2 > this.#chunks.length',
        to: 'this.#first * 2 >= this.#chunks.length',
        why: 'When places are given back is a matter of speed alone; that it happens is tested.',
      },
    ],
    'layout.ts': [
      {
        from: '{ get: () => undefined, set: () => {} }',
        to: '{}',
        why: 'A property that cannot be written swallows what is written to it too: the code of binary-parser is not strict.',
      },
    ],
    'one-shot-client.ts': [
      ...[
        ["this.#state !== 'over'", 'true'],
        ["'over'", '""'],
      ].map(([from, to]) => ({
        from,
        to,
        in: 'this.#input.push(chunk)',
        why: 'What comes behind the end is read by nobody: it only goes with the connection, a moment later.',
      })),
      ...[
        ["case 'over': return undefined;", "case 'over':"],
        ["'over'", '""'],
      ].map(([from, to]) => ({ from, to, in: "case 'over'", why: 'The function ends there, with undefined.' })),
      {
        from: 'i < variables.length',
        to: 'i <= variables.length',
        why: 'Behind the last pair there is no name, and none of the two names is undefined.',
      },
    ],
    'one-shot-output.ts': [
      {
        from: 'head.length + bytes.length <= FUSE',
        to: 'head.length + bytes.length < FUSE',
        why: 'A reply of exactly that size is joined when it is taken.',
      },
    ],
    'one-shot-server.ts': [
      ...[
        ["this.#receive !== 'dropped'", 'true'],
        ["'dropped'", '""'],
      ].map(([from, to]) => ({
        from,
        to,
        in: 'this.#input.push(chunk)',
        why: 'What comes when all is dropped is read by nobody: it only goes with the connection, a moment later.',
      })),
      ...["'asked'", "'dropped'"].map((from) => ({
        from,
        to: '""',
        in: 'case ',
        why: 'The function ends there, with undefined.',
      })),
      {
        from: "case 'dropped': return undefined;",
        to: "case 'dropped':",
        why: 'The function ends there, with undefined.',
      },
      {
        from: "'ended'",
        to: '""',
        in: "this.#reply = 'ended'",
        why: 'Nobody is there to be answered any more: what is sent is let go before this is asked.',
      },
      ...["'flush'", "'log'"].map((from) => ({ from, to: '""', why: 'Nothing is to be done for it, nor behind it.' })),
      { from: "case 'log': break;", to: "case 'log':", why: 'Nothing is behind it.' },
    ],
  },
  core,
};
