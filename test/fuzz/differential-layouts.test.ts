import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { outputText, pair } from '@postern/testkit';
import { layout } from '@postern/wire';
import fc from 'fast-check';
import * as ajp from '../../packages/ajp/src/index.ts';
import { PacketReader } from '../../packages/ajp/src/packet-reader.ts';
import * as fastcgi from '../../packages/fastcgi/src/index.ts';
import { checkLengths, readPairs } from '../../packages/fastcgi/src/params.ts';
import { RecordReader } from '../../packages/fastcgi/src/record-reader.ts';
import * as uwsgi from '../../packages/uwsgi/src/index.ts';
import { seed } from './properties.ts';

const anyBytes = (count: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: count, maxLength: count }).map((bytes) => Buffer.from(bytes));

function always<T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => void): void {
  fc.assert(
    fc.property(arbitrary, (value) => {
      check(value);
    }),
    { seed, numRuns: 2000 },
  );
}

/** The code of what is thrown; undefined: nothing was. */
function code(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

describe('what is read by hand is what the layouts say', () => {
  it('of any FastCGI record header, whole and byte by byte', () => {
    always(fc.tuple(anyBytes(8), fc.boolean()), ([bytes, bare]) => {
      if (!bare) bytes[0] = 1;
      const { version, type, requestId: id, contentLength: left, paddingLength } = fastcgi.recordHeader.parse(bytes);
      for (const chunks of [[bytes], Array.from(bytes, (byte) => Uint8Array.of(byte))]) {
        const reader = new RecordReader();
        for (const chunk of chunks) reader.receive(chunk);
        if (version !== 1) {
          expect(code(() => reader.open())).toBe('ERR_FCGI_VERSION');
          continue;
        }
        expect(reader.open()).toBe(true);
        expect({ type: reader.type, id: reader.id, left: reader.left }).toEqual({ type, id, left });
        // what follows is content, then padding, then the next header
        reader.receive(Buffer.alloc(left + paddingLength, 7));
        reader.receive(fastcgi.recordHeader.write({ version: 1, type: 200 }));
        reader.skip();
        expect(reader.open()).toBe(true);
        expect(reader.type).toBe(200);
      }
    });
  });

  it('of any BEGIN_REQUEST', () => {
    always(anyBytes(8), (body) => {
      const { role, flags } = fastcgi.beginRequest.parse(body);
      const connection = fastcgi.fastcgi.server(limitsWith());
      const header = fastcgi.recordHeader.write({ version: 1, type: 1, requestId: 5, contentLength: 8 });
      connection.receive(Buffer.concat([header, body]));
      expect(connection.next()).toBeUndefined();
      const answer = Buffer.from(outputText(connection), 'latin1');
      // any role but the one that is served is answered at once, and the flag says whether the connection goes on
      expect(connection.headPending).toBe(role === 1);
      if (role === 1) {
        expect(answer.length).toBe(0);
        return;
      }
      expect(fastcgi.endRequest.parse(answer, answer.length - 8)).toMatchObject({ appStatus: 0, protocolStatus: 3 });
      expect(connection.wantsClose).toBe((flags & 1) === 1 ? false : 'fin');
    });
  });

  it('of any END_REQUEST', () => {
    always(anyBytes(8), (body) => {
      const { protocolStatus } = fastcgi.endRequest.parse(body);
      const connection = fastcgi.fastcgi.client(limitsWith());
      connection.send({ type: 'request', id: 5, variables: ['REQUEST_METHOD', 'GET'], keep: false });
      const header = fastcgi.recordHeader.write({ version: 1, type: 3, requestId: 5, contentLength: 8 });
      connection.receive(Buffer.concat([header, body]));
      const codes = ['ERR_REPLY', 'ERR_BACKEND_MULTIPLEX', 'ERR_BACKEND_BUSY', 'ERR_BACKEND_ROLE'];
      expect(code(() => connection.next())).toBe(codes[protocolStatus] ?? 'ERR_REPLY');
      expect(connection.next()).toEqual({ type: 'end', id: 5, reuse: false });
    });
  });

  it('of the lengths of name-value pairs', () => {
    const long = layout('pair', 'FastCGI 1.0 §3.4', [
      { name: 'nameLength', type: 'uint32be', text: '' },
      { name: 'valueLength', type: 'uint32be', text: '' },
    ]);
    const short = layout('pair', 'FastCGI 1.0 §3.4', [
      { name: 'nameLength', type: 'uint8', text: '' },
      { name: 'valueLength', type: 'uint8', text: '' },
    ]);
    const limits = limitsWith();
    always(fc.tuple(anyBytes(8), fc.nat(300), fc.nat(300)), ([bytes, name, value]) => {
      bytes[0] |= 0x80;
      bytes[4] |= 0x80;
      const { nameLength, valueLength } = long.parse(bytes);
      const tooLong = nameLength - 0x80000000 > limits.maxNameBytes || valueLength - 0x80000000 > limits.maxValueBytes;
      expect(code(() => checkLengths(bytes, 0, limits))).toBe(tooLong ? 'ERR_ENV_ITEM' : undefined);
      const one = pair('n'.repeat(name), 'v'.repeat(value), name > 127 || value > 127);
      const lengths = one[0] < 128 ? short.parse(one) : long.parse(one);
      const found: number[] = [];
      readPairs(one, (n, v) => found.push(n.length, v.length));
      expect(found).toEqual([lengths.nameLength, lengths.valueLength].map((length) => length % 0x80000000));
    });
  });

  it.each([0x1234, 0x4142])('of any head of an AJP packet that begins with %i', (magic) => {
    always(fc.tuple(anyBytes(4), fc.boolean()), ([bytes, bare]) => {
      if (!bare) bytes.writeUInt16BE(magic, 0);
      const head = ajp.packetHeader.parse(bytes);
      const reader = new PacketReader(magic, 8188);
      reader.receive(bytes);
      if (head.magic !== magic) expect(code(() => reader.open())).toBe('ERR_AJP_PACKET');
      else {
        expect(reader.open()).toBe(true);
        expect([reader.length, reader.tooLong]).toEqual([head.length, head.length > 8188]);
      }
    });
  });

  it('of any head of a uwsgi packet', () => {
    always(anyBytes(4), (bytes) => {
      const { modifier1, datasize, modifier2 } = uwsgi.packetHeader.parse(bytes);
      const connection = uwsgi.uwsgi.server(limitsWith());
      connection.receive(bytes);
      const letter = modifier1 >= 0x41 && modifier1 <= 0x5a;
      const served = modifier1 === 0 && modifier2 === 0;
      const empty = served && datasize === 0 ? 'ERR_ENV_METHOD' : undefined;
      expect(code(() => connection.next())).toBe(letter || !served ? 'ERR_UWSGI_MODIFIER' : empty);
      if (!served || datasize === 0) return;
      connection.receive(Buffer.alloc(datasize - 1));
      expect(connection.next()).toBeUndefined();
      connection.receive(Buffer.alloc(1));
      expect(code(() => connection.next())).toBe('ERR_UWSGI_BLOCK');
    });
  });
});
