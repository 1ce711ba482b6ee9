import { describe, expect, it } from '@jest/globals';
import { RemoteProtocolError } from '@postern/core';
import { cutAt, record, singleBytes } from '@postern/testkit';
import fc from 'fast-check';
import { recordHeader } from '../src/layouts.ts';
import { RecordReader } from '../src/record-reader.ts';

interface Read {
  type: number;
  id: number;
  content: string;
}

/** Reads what is there; `how` takes the content in one of the three ways. */
function read(reader: RecordReader, how: 'whole' | 'some' | 'skip', into: Read[]): void {
  for (;;) {
    if (reader.left < 0) {
      if (!reader.open()) return;
      into.push({ type: reader.type, id: reader.id, content: '' });
      if (reader.left === 0) reader.close();
      continue;
    }
    const last = into[into.length - 1];
    if (how === 'skip') {
      if (!reader.skip()) return;
    } else {
      const piece = how === 'whole' ? reader.whole() : reader.some();
      if (piece === undefined) return;
      last.content += piece.toString('latin1');
    }
  }
}

const oneRecord = fc.record({
  type: fc.integer({ min: 0, max: 255 }),
  id: fc.integer({ min: 0, max: 65_535 }),
  content: fc.uint8Array({ maxLength: 60 }),
  padding: fc.integer({ min: 0, max: 255 }),
  reserved: fc.integer({ min: 0, max: 255 }),
});

describe('RecordReader', () => {
  it.each(['whole', 'some', 'skip'] as const)(
    'finds the records that were sent, taking their content by %s, however they are cut',
    (how) => {
      fc.assert(
        fc.property(
          fc.array(oneRecord, { maxLength: 8 }),
          fc.array(fc.nat(2000), { maxLength: 20 }),
          (records, cuts) => {
            const bytes = Buffer.concat(
              records.map(({ type, id, content, ...extras }) => record(type, id, content, { ...extras, fill: 0x5a })),
            );
            const reader = new RecordReader();
            const found: Read[] = [];
            for (const chunk of cutAt(
              bytes,
              cuts.filter((at) => at > 0 && at < bytes.length),
            )) {
              reader.receive(chunk);
              read(reader, how, found);
            }
            const sent = records.map(({ type, id, content }) => ({
              type,
              id,
              content: Buffer.from(content).toString('latin1'),
            }));
            expect(found).toEqual(how === 'skip' ? sent.map((one) => ({ ...one, content: '' })) : sent);
          },
        ),
      );
    },
  );

  it('reads a header as its layout does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 7, maxLength: 7 }), (rest) => {
        const header = Buffer.concat([Buffer.of(1), rest]);
        const reader = new RecordReader();
        for (const byte of singleBytes(header)) reader.receive(byte);
        expect(reader.open()).toBe(true);
        const { type, requestId, contentLength } = recordHeader.parse(header);
        expect({ type: reader.type, id: reader.id, left: reader.left }).toEqual({
          type,
          id: requestId,
          left: contentLength,
        });
      }),
    );
  });

  it('refuses a version at its byte, and not the bytes of a padding', () => {
    const reader = new RecordReader();
    reader.receive(record(5, 1, 'x', { padding: 9, fill: 2 }).subarray(0, 12));
    expect(reader.open()).toBe(true);
    expect(reader.whole()?.toString()).toBe('x');
    expect(reader.open()).toBe(false);
    reader.receive(Buffer.alloc(6, 2));
    expect(reader.open()).toBe(false);
    reader.receive(Buffer.of(2));
    expect(() => reader.open()).toThrow(RemoteProtocolError);
  });

  it('hands content out as views of what was received', () => {
    const chunk = record(5, 1, 'x'.repeat(2000));
    const reader = new RecordReader();
    reader.receive(chunk);
    reader.open();
    expect(reader.some()?.buffer).toBe(chunk.buffer);
  });

  it('sees whether the end of a stream follows, also behind a padding', () => {
    const reader = new RecordReader();
    reader.receive(Buffer.concat([record(4, 258, 'x', { padding: 3 }), record(5, 258)]));
    reader.open();
    reader.whole();
    expect(reader.emptyFollows(5, 258)).toBe(true);
    expect(reader.emptyFollows(4, 258)).toBe(false);
    expect(reader.emptyFollows(5, 257)).toBe(false);
    expect(reader.emptyFollows(5, 2)).toBe(false);
  });

  it.each([
    ['it has content', record(5, 1, 'x')],
    ['it has content of 256 bytes', record(5, 1, Buffer.alloc(256))],
    ['it is of another version', record(5, 1).fill(2, 0, 1)],
    ['its header is not all there', record(5, 1).subarray(0, 7)],
    ['nothing does', Buffer.alloc(0)],
  ])('sees no end of a stream where %s', (_, bytes) => {
    const reader = new RecordReader();
    reader.receive(bytes);
    expect(reader.emptyFollows(5, 1)).toBe(false);
    expect(reader.takeEmpty(5, 1)).toBe(false);
  });

  it('keeps no large chunk for the few bytes that are left of it, once it has settled', () => {
    const chunk = Buffer.concat([record(4, 1, Buffer.alloc(60_000)), record(5, 1, 'abc')]);
    const reader = new RecordReader();
    reader.receive(chunk);
    reader.open();
    reader.whole();
    reader.settle();
    reader.open();
    const left = reader.whole();
    expect(left?.toString()).toBe('abc');
    expect(left?.buffer).not.toBe(chunk.buffer);
  });

  it('that was cleared has no record open, and nothing of what came', () => {
    const reader = new RecordReader();
    reader.receive(record(5, 1, 'abc').subarray(0, 9));
    reader.open();
    reader.clear();
    expect([reader.left, reader.buffered]).toEqual([-1, 0]);
    reader.receive(record(4, 2));
    expect([reader.open(), reader.type, reader.id]).toEqual([true, 4, 2]);
  });
});
