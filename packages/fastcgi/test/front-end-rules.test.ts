import { describe, expect, it } from '@jest/globals';
import type { ReplyEvent } from '@postern/core';
import {
  begin,
  outputText,
  pairs,
  params,
  plainGet,
  readRecords,
  readReplies,
  record,
  request,
  stdin,
} from '@postern/testkit';
import type { FastcgiServerConnection } from '../src/server-connection.ts';
import { complete, ok, serve, server } from './serving.ts';

// What nginx, Apache, lighttpd, Caddy, HAProxy and h2o need of any FastCGI server, one rule a test.

const post = { ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '3' };

function running(...parts: Uint8Array[]): FastcgiServerConnection {
  const connection = server();
  for (const part of parts) connection.receive(part);
  while (connection.next() !== undefined);
  return connection;
}

const head: ReplyEvent = { type: 'head', id: 5, status: 200, reason: 'OK', headers: [] };

/** A reply in every form: whole, streamed, with STDERR, broken off. */
const conducts: [string, ReplyEvent[]][] = [
  ['whole', [{ ...head, type: 'whole', body: 'hi' } as ReplyEvent]],
  ['whole without a body', [{ ...head, type: 'whole', body: null } as ReplyEvent]],
  ['streamed', [head, { type: 'data', id: 5, chunk: 'x'.repeat(70_000) }, { type: 'end', id: 5 }]],
  [
    'streamed without a body',
    [head, { type: 'data', id: 5, chunk: '' }, { type: 'flush', id: 5 }, { type: 'end', id: 5 }],
  ],
  [
    'with lines for the log',
    [{ type: 'log', id: 5, text: 'x' }, head, { type: 'log', id: 5, text: 'y' }, { type: 'end', id: 5 }],
  ],
];

describe('rule 1: only STDOUT, STDERR and END_REQUEST with the id of the request', () => {
  it.each(conducts)('holds for a reply that is %s', (_, events) => {
    const connection = running(request(plainGet, { id: 5, flags: 1 }));
    for (const event of events) connection.send(event);
    const records = readRecords(outputText(connection));
    expect(records.length).toBeGreaterThan(1);
    for (const { type, id, version } of records) {
      expect([3, 6, 7]).toContain(type);
      expect([version, id]).toEqual([1, 5]);
    }
  });

  it('holds for refusals, and other types answer management records alone', () => {
    const refused = [
      request({}),
      request(plainGet, { id: 1 }).fill(0, 24, 26),
      Buffer.concat([begin(1, 1, 2), params(), stdin()]),
      Buffer.concat([record(99, 1), record(9, 1), request()]),
    ];
    for (const bytes of refused) {
      for (const { type, id } of readRecords(serve([bytes]).output))
        expect([[3, 6, 7].includes(type), id]).toEqual([true, 1]);
    }
    expect(readRecords(serve([record(99, 0), record(9, 0)]).output).map(({ type, id }) => [type, id])).toEqual([
      [11, 0],
      [10, 0],
    ]);
  });
});

describe('rule 2: one empty STDOUT, at the very end', () => {
  it.each(conducts)('holds for a reply that is %s', (_, events) => {
    const connection = running(request(plainGet, { id: 5, flags: 1 }));
    let output = '';
    for (const event of events) {
      connection.send(event);
      output += outputText(connection);
    }
    const stdout = readRecords(output).filter(({ type }) => type !== 7);
    const empty = stdout.flatMap(({ type, content }, i) => (type === 6 && content === '' ? [i] : []));
    expect(empty).toEqual([stdout.length - 2]);
    expect(stdout[stdout.length - 1].type).toBe(3);
  });
});

describe('rule 3: no OVERLOADED and no CANT_MPX_CONN for the request of a user', () => {
  it('holds: too many at once are answered 503 with Retry-After and REQUEST_COMPLETE', () => {
    const two = Buffer.concat([1, 2, 3].map((id) => request(plainGet, { id, flags: 1 })));
    const outcome = serve([two], { limits: { maxConcurrentPerConnection: 2 }, answer: 'never' });
    expect(outcome.replies).toMatchObject([{ id: 3, closed: true, end: complete }]);
    expect(outcome.replies[0].stdout).toMatch(
      /^Status: 503 Service Unavailable\r\n.*Retry-After: 1\r\n(?:.*\r\n)?\r\n503/s,
    );
  });

  it('holds while the connection is being closed', () => {
    const connection = running(begin(1, 1), params(pairs(plainGet)), params());
    connection.shutdown();
    connection.receive(request(plainGet, { id: 2, flags: 1 }));
    while (connection.next() !== undefined);
    const { replies } = readReplies(outputText(connection));
    expect(replies).toMatchObject([{ id: 2, end: complete }]);
  });
});

describe('rule 4: the last STDOUT, its end and END_REQUEST in one write', () => {
  it.each([0, 2, 100, 10_000, 16_384, 60_000])('holds for a body of %d bytes, whole or streamed', (size) => {
    for (const streamed of [false, true]) {
      const connection = running(request(plainGet, { id: 5, flags: 1 }));
      if (streamed) {
        connection.send(head);
        connection.send({ type: 'data', id: 5, chunk: 'x'.repeat(size) });
        connection.send({ type: 'end', id: 5 });
      } else connection.send({ ...head, type: 'whole', body: Buffer.alloc(size, 'x') } as ReplyEvent);
      const output = connection.takeOutput(131_072);
      expect(connection.takeOutput(131_072)).toBeUndefined();
      const pieces = Array.isArray(output) ? output : [Buffer.from(output as string, 'latin1')];
      const bytes = Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
      expect(readRecords(bytes).map(({ type }) => type)).toEqual([6, 6, 3]);
    }
  });
});

describe('rule 5: the application starts at the end of PARAMS', () => {
  it('holds: not before, and not when STDIN ends or comes', () => {
    const connection = server();
    const eventsOf = (bytes: Uint8Array): string[] => {
      connection.receive(bytes);
      const types: string[] = [];
      for (let event = connection.next(); event !== undefined; event = connection.next()) types.push(event.type);
      return types;
    };
    expect(eventsOf(begin())).toEqual([]);
    expect(eventsOf(params(pairs(post)))).toEqual([]);
    expect(eventsOf(params())).toEqual(['request']);
    expect(eventsOf(stdin('ab'))).toEqual(['data']);
  });

  it('holds for the body: it is whole at CONTENT_LENGTH bytes, for lighttpd may hold the empty STDIN back', () => {
    const outcome = serve([Buffer.concat([begin(), params(pairs(post)), params(), stdin('abc')])]);
    expect(outcome).toMatchObject({ asked: [{ body: 'abc', ended: 'end' }], replies: [ok()] });
  });

  it('holds without any STDIN, which mod_authnz_fcgi never sends', () => {
    expect(serve([Buffer.concat([begin(), params(pairs(plainGet)), params()])]).replies).toEqual([ok()]);
  });
});

describe('rule 6: the body is read on behind the reply', () => {
  it('holds: Caddy writes all of it before it reads a byte', () => {
    const variables = pairs({ ...post, CONTENT_LENGTH: '1000000' });
    const connection = running(begin(1, 1), params(variables), params());
    connection.send({ ...head, id: 1, type: 'whole', body: 'early' } as ReplyEvent);
    for (let sent = 0; sent < 1_000_000; sent += 50_000) {
      expect(connection.wantsRead).toBe(true);
      connection.receive(stdin('x'.repeat(50_000)));
      expect(connection.next()).toBeUndefined();
    }
    connection.receive(Buffer.concat([stdin(), request(plainGet, { flags: 1 })]));
    expect(connection.next()?.type).toBe('request');
  });
});

describe('rule 7: a peer that leaves at the end of a reply is no error', () => {
  it('holds: its FIN behind the reply brings no event and no output', () => {
    const connection = running(request(plainGet, { flags: 1 }));
    connection.send({ ...head, id: 1, type: 'whole', body: 'hi' } as ReplyEvent);
    outputText(connection);
    connection.receiveEnd();
    expect(connection.next()).toBeUndefined();
    expect(connection.takeOutput(1)).toBeUndefined();
    expect(connection.wantsClose).toBe('fin');
  });
});
