import { describe, expect, it } from '@jest/globals';
import { hex } from '@postern/testkit';
import fc from 'fast-check';
import { RecordType } from '../src/constants.ts';
import { beginRequest, endRequest, recordHeader, unknownType } from '../src/layouts.ts';
import { unknownTypeAnswer } from '../src/management.ts';
import {
  endRequestText,
  endText,
  headerBytes,
  headerText,
  paddingFor,
  paddingText,
  recordText,
  STREAM_PIECE,
} from '../src/records.ts';

const type = fc.integer({ min: 0, max: 255 });
const id = fc.integer({ min: 0, max: 65_535 });
const length = fc.integer({ min: 0, max: 65_535 });

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

describe('a record header', () => {
  it('is what the layout of the specification says, as text and as bytes', () => {
    fc.assert(
      fc.property(type, id, length, (recordType, requestId, contentLength) => {
        const paddingLength = paddingFor(contentLength);
        const described = recordHeader.write({ version: 1, type: recordType, requestId, contentLength, paddingLength });
        expect(headerBytes(recordType, requestId, contentLength).equals(described)).toBe(true);
        expect(bytesOf(headerText(recordType, requestId, contentLength)).equals(described)).toBe(true);
      }),
    );
  });
});

describe('padding', () => {
  it('brings every content to a multiple of eight, with fewer than eight zeros', () => {
    for (let contentLength = 0; contentLength <= 65_535; contentLength++) {
      const padding = paddingFor(contentLength);
      if ((contentLength + padding) % 8 !== 0 || padding < 0 || padding > 7)
        throw new Error(`${contentLength}: ${padding}`);
    }
    for (let contentLength = 0; contentLength < 16; contentLength++) {
      expect(paddingText(contentLength)).toBe('\0'.repeat(paddingFor(contentLength)));
    }
  });

  it('is not needed for a full piece of a stream, which leaves a record no larger than 65535 bytes', () => {
    expect(paddingFor(STREAM_PIECE)).toBe(0);
    expect(STREAM_PIECE).toBeLessThanOrEqual(65_535);
    expect(STREAM_PIECE + 8).toBeGreaterThan(65_535);
  });
});

describe('a record', () => {
  it('is its header, its content and zeros', () => {
    fc.assert(
      fc.property(id, fc.uint8Array({ maxLength: 300 }), (requestId, content) => {
        const text = Buffer.from(content).toString('latin1');
        const record = bytesOf(recordText(RecordType.STDOUT, requestId, text));
        const header = recordHeader.parse(record);
        expect({ ...header }).toMatchObject({
          version: 1,
          type: 6,
          requestId,
          contentLength: content.length,
          reserved: 0,
        });
        expect(record.subarray(8, 8 + content.length).equals(content)).toBe(true);
        expect(record.subarray(8 + content.length).equals(Buffer.alloc(header.paddingLength))).toBe(true);
        expect(record.length % 8).toBe(0);
      }),
    );
  });

  it('of END_REQUEST is what the layout says', () => {
    fc.assert(
      fc.property(id, type, fc.integer({ min: 0, max: 3 }), (requestId, appStatus, protocolStatus) => {
        const end = bytesOf(endRequestText(requestId, appStatus, protocolStatus));
        expect({ ...recordHeader.parse(end) }).toMatchObject({
          type: 3,
          requestId,
          contentLength: 8,
          paddingLength: 0,
        });
        expect(end.subarray(8).equals(endRequest.write({ appStatus, protocolStatus }))).toBe(true);
        const complete = bytesOf(endRequestText(requestId, 0, 0));
        const whole = bytesOf(endText(requestId));
        expect(whole.subarray(0, 8).equals(headerBytes(RecordType.STDOUT, requestId, 0))).toBe(true);
        expect(whole.subarray(8).equals(complete)).toBe(true);
        expect(endText(requestId)).toBe(endText(requestId));
      }),
    );
  });

  it('of UNKNOWN_TYPE is what the layout says', () => {
    for (let unknown = 0; unknown < 256; unknown++) {
      const answer = bytesOf(unknownTypeAnswer(unknown));
      expect({ ...unknownType.parse(answer, 8) }).toMatchObject({ type: unknown, reserved: Buffer.alloc(7) });
    }
    expect(bytesOf(unknownTypeAnswer(42))).toEqual(hex('01 0B 00 00 00 08 00 00 2A 00 00 00 00 00 00 00'));
  });
});

describe('the layouts', () => {
  it('have the sizes of the specification', () => {
    expect([recordHeader, beginRequest, endRequest, unknownType].map(({ size }) => size)).toEqual([8, 8, 8, 8]);
  });

  it('have its names, and say where it is written', () => {
    const named = [recordHeader, beginRequest, endRequest, unknownType].map(({ name, section, fields }) => [
      `${name}, ${section}`,
      fields.map((field) => field.name),
    ]);
    expect(named).toEqual([
      ['FCGI_Header, FastCGI 1.0 §3.3', ['version', 'type', 'requestId', 'contentLength', 'paddingLength', 'reserved']],
      ['FCGI_BeginRequestBody, FastCGI 1.0 §5.1', ['role', 'flags', 'reserved']],
      ['FCGI_EndRequestBody, FastCGI 1.0 §5.5', ['appStatus', 'protocolStatus', 'reserved']],
      ['FCGI_UnknownTypeBody, FastCGI 1.0 §4.2', ['type', 'reserved']],
    ]);
  });
});
