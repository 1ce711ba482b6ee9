import { describe, expect, it } from '@jest/globals';
import { RemoteProtocolError, type Role } from '@postern/core';
import {
  abort,
  begin,
  cutAt,
  outputText,
  pair,
  pairs,
  params,
  plainGet,
  readRecords,
  record,
  request,
  singleBytes,
  stdin,
} from '@postern/testkit';
import fc from 'fast-check';
import type { FastcgiServerConnection } from '../src/server-connection.ts';
import { type Serving, serve, server } from './serving.ts';

const allRoles: Role[] = ['responder', 'authorizer', 'filter'];

const post = pairs({ ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '5' });
const id = fc.constantFrom(0, 1, 1, 1, 2, 3, 65_535);

/** Records as a peer in its right mind, or out of it, would send them. */
const anyRecord = fc.oneof(
  fc
    .tuple(id, fc.constantFrom(0, 1, 1, 255), fc.constantFrom(1, 1, 1, 2, 3, 9))
    .map(([i, flags, role]) => begin(i, flags, role)),
  fc
    .tuple(fc.constantFrom(post, pairs(plainGet), pair('__proto__', 'x'), Buffer.of(255, 255, 255, 255)), id)
    .map(([p, i]) => params(p, i)),
  id.map((i) => params('', i)),
  fc.tuple(fc.string({ maxLength: 8 }), id).map(([text, i]) => stdin(text, i)),
  id.map((i) => stdin('', i)),
  id.map((i) => abort(i)),
  fc
    .tuple(fc.nat(255), id, fc.uint8Array({ maxLength: 20 }), fc.nat(9))
    .map(([type, i, content, padding]) => record(type, i, content, { padding })),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
);

const anyInput = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.array(anyRecord, { maxLength: 25 }).map((records) => Buffer.concat(records)),
);

/** A valid conversation with one byte changed, a piece taken out, or a piece twice. */
const twisted = fc
  .record({
    at: fc.nat(400),
    length: fc.nat(30),
    byte: fc.nat(255),
    how: fc.constantFrom('flip', 'drop', 'twice', 'cut'),
  })
  .map(({ at, length, byte, how }) => {
    const bytes = Buffer.concat([
      begin(1, 1),
      params(post),
      params(),
      stdin('abcde'),
      stdin(),
      record(9, 0, pair('FCGI_MAX_REQS', '')),
      request(plainGet, { id: 3, flags: 1 }),
    ]);
    const from = at % bytes.length;
    if (how === 'flip') bytes[from] = byte;
    if (how === 'drop') return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]);
    if (how === 'twice') return Buffer.concat([bytes.subarray(0, from + length), bytes.subarray(from)]);
    return how === 'cut' ? bytes.subarray(0, from) : bytes;
  });

const prototype = Object.getOwnPropertyNames(Object.prototype).sort().join();

/** Feeds and checks what must hold for any input; gives how many requests there were. */
function endure(connection: FastcgiServerConnection, chunks: Uint8Array[], answer: boolean): number {
  let requests = 0;
  let output = '';
  let thrown = 0;
  const open = new Set<number>();
  const pump = (): void => {
    for (;;) {
      try {
        const event = connection.next();
        if (event === undefined) break;
        if (event.type === 'request') {
          requests++;
          if (open.has(event.id)) throw new Error(`id ${event.id} was dispatched twice`);
          open.add(event.id);
          if (answer) {
            connection.send({ type: 'whole', id: event.id, status: 200, reason: 'OK', headers: [], body: null });
            open.delete(event.id);
          }
        } else if (event.type === 'data') connection.pull(event.id);
        else if (event.type === 'filter-data') connection.pull(event.id, event.type);
        else if (event.type === 'abort') open.delete(event.id);
      } catch (error) {
        if (!(error instanceof RemoteProtocolError)) throw error;
        if (error.scope === 'connection') thrown++;
        else
          connection.send({
            type: 'whole',
            id: error.id,
            status: error.statusHint,
            reason: '',
            headers: [],
            body: null,
          });
      }
    }
    output += outputText(connection);
  };
  let received = 0;
  for (const chunk of chunks) {
    connection.receive(chunk);
    received += chunk.length;
    pump();
  }
  connection.receiveEnd();
  pump();
  expect(thrown).toBeLessThanOrEqual(1);
  expect(connection.wantsClose).not.toBe(false);
  expect(output.length).toBeLessThanOrEqual(received * 12);
  for (const { version, reserved } of readRecords(output)) {
    if (version !== 1 || reserved !== 0) throw new Error(`a record with version ${version}`);
  }
  return requests;
}

describe('any bytes', () => {
  it.each([
    ['of any kind', anyInput],
    ['of a valid conversation with one thing wrong', twisted],
  ])('%s are events or RemoteProtocolError, and little is written', (_, input) => {
    fc.assert(
      fc.property(input, fc.array(fc.nat(400), { maxLength: 6 }), fc.boolean(), (bytes, cuts, answer) => {
        const places = cuts.filter((at) => at > 0 && at < bytes.length);
        const limits = { maxConcurrentPerConnection: 2, maxJunkRecords: 8 };
        endure(server(limits), cutAt(bytes, places), answer);
        endure(server(limits, { roles: allRoles }), cutAt(bytes, places), answer);
      }),
      { numRuns: 500 },
    );
    expect(Object.getOwnPropertyNames(Object.prototype).sort().join()).toBe(prototype);
  });

  it('mean the same however they are cut', () => {
    fc.assert(
      fc.property(fc.oneof(anyInput, twisted), fc.array(fc.nat(400), { maxLength: 6 }), (bytes, cuts) => {
        const places = cuts.filter((at) => at > 0 && at < bytes.length);
        const serving: Serving = { fin: true, peer: { roles: allRoles } };
        const whole = serve([bytes], serving);
        expect(serve(cutAt(bytes, places), serving)).toEqual(whole);
        expect(serve(singleBytes(bytes), serving)).toEqual(whole);
      }),
      { numRuns: 200 },
    );
  });

  it('of a valid conversation that is cut short never bring a request twice or one of another', () => {
    const bytes = Buffer.concat(
      [1, 2, 3].map((one) => request({ ...plainGet, N: String(one) }, { id: one, flags: 1 })),
    );
    for (let at = 0; at <= bytes.length; at++) {
      const { asked, errors } = serve([bytes.subarray(0, at)], { fin: true });
      expect(errors).toEqual([]);
      expect(asked.map(({ id: one, variables }) => [one, variables.N])).toEqual(
        asked.map((_, i) => [i + 1, String(i + 1)]),
      );
    }
  });
});
