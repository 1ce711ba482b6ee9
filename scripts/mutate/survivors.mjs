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
  ajp: {
    'ajp-head.ts': [{ from: 'repeated', to: 'true', why: 'What is not repeated comes out of it the same.' }],
    'attributes.ts': [
      { from: 'i < variables.length', to: 'i <= variables.length', why: 'Behind the last pair stands no name.' },
      {
        from: '{ queryString: undefined, storedMethod: undefined }',
        to: '{}',
        why: 'What is not there is undefined as well.',
      },
      { from: "''", to: '"Stryker was here!"', why: 'A text that is never the secret, whichever it is.' },
    ],
    'client-connection.ts': [
      { from: 'false', to: 'true', in: '#keep = false', why: 'It is set with each request, and looked at behind one.' },
      {
        from: "this.#state !== 'over'",
        to: 'true',
        why: 'What is thrown away would be kept and never read: only memory tells.',
      },
      {
        from: "'over'",
        to: '""',
        in: 'this.#packets.receive(chunk)',
        why: 'What is thrown away would be kept and never read: only memory tells.',
      },
      {
        from: '!(error instanceof RemoteProtocolError)',
        to: 'false',
        why: 'A defect apart, nothing else is thrown there.',
      },
      {
        from: 'packets.length >= 0',
        to: 'packets.length > 0',
        why: 'A packet without payload is refused as soon as it is open.',
      },
      { from: 'type === undefined', to: 'false', why: 'Without its type nothing of a packet can be taken yet.' },
      { from: "'END_RESPONSE'", to: '""', in: 'END_CLOSE', why: 'It is a word of the message.' },
    ],
    'forward-request.ts': [
      {
        from: "''",
        to: '"Stryker was here!"',
        in: "values.get('HTTPS')",
        why: 'Neither text is one that means https.',
      },
    ],
    'head.ts': [{ from: 'i < headers.length', to: 'i <= headers.length', why: 'Behind the last pair stands no name.' }],
    'packet-reader.ts': [
      {
        from: 'this.length >= 0',
        to: 'this.length > 0',
        why: 'A packet without payload is taken, or refused, as soon as it is open.',
      },
      {
        from: 'this.length < 0',
        to: 'this.length <= 0',
        why: 'A packet without payload is taken, or refused, as soon as it is open.',
      },
      { from: '{ this.#input.settle(); }', to: '{}', why: 'It copies what holds more memory than it needs.' },
      { from: '-1', to: '+1', in: 'this.length = -1;', why: 'Nothing is read behind `clear`.' },
    ],
    'reply-reader.ts': [
      { from: '{ maxReplyHeaders: most }', to: '{}', why: 'The number of fields was checked before they are read.' },
    ],
    'reply-head.ts': [
      { from: "'OK'", to: '""', why: 'Without a reason it is that of the status, which is OK.' },
      { from: "status === 200 && reason === 'OK'", to: 'false', why: 'A short cut: it is put together anew.' },
    ],
    'reply-output.ts': [
      { from: "typeof chunk === 'string'", to: 'true', why: 'The bytes are copied once more than they need be.' },
      { from: "'latin1'", to: '""', in: 'bytes.write(after', why: 'FLUSH and END_RESPONSE have no byte above 0x7F.' },
    ],
    'reply.ts': [
      { from: "''", to: '"Stryker was here!"', why: 'Before the first request there is no reply that looks at it.' },
      { from: 'false', to: 'true', why: 'A flush is allowed behind a head alone, and a head sets it.' },
    ],
    'secret.ts': [
      { from: 'secret === undefined', to: 'false', why: 'As a text, "undefined", it passes the pattern too.' },
      { from: "'latin1'", to: '""', why: 'Both secrets are hashed as UTF-8 then, which tells them apart as well.' },
    ],
    'server-connection.ts': [
      {
        from: "this.#receive !== 'dropped'",
        to: 'true',
        why: 'What is thrown away would be kept and never read: only memory tells.',
      },
      {
        from: "'dropped'",
        to: '""',
        in: 'this.#packets.receive(chunk)',
        why: 'What is thrown away would be kept and never read: only memory tells.',
      },
      {
        from: 'packets.length >= 0',
        to: 'packets.length > 0',
        why: 'A packet without payload is taken, or refused, as soon as it is open.',
      },
      {
        from: 'step === undefined',
        to: 'false',
        why: 'Then `settle` is left out, which copies what holds more memory than it needs.',
      },
      {
        from: '!(error instanceof RemoteProtocolError)',
        to: 'false',
        why: 'A defect apart, nothing else is thrown there.',
      },
      { from: "''", to: '"Stryker was here!"', why: 'A request that was refused is never answered in parts.' },
      {
        from: 'this.#output.dueBytes < MAX_ANSWERS',
        to: 'this.#output.dueBytes <= MAX_ANSWERS',
        why: 'One byte of 65536, in packets of five.',
      },
    ],
  },
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
