import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  endResponse,
  forwardRequest,
  getBodyChunk,
  packetHeader,
  requestBody,
  sendBodyChunk,
  sendHeaders,
  stringHeader,
} from '../src/layouts.ts';
import { PacketReader } from '../src/packet-reader.ts';
import {
  bodyHeader,
  CPING,
  CPONG,
  chunkHeaderText,
  chunksText,
  END_CLOSE,
  END_OF_BODY,
  END_REUSE,
  FLUSH,
  getBodyText,
} from '../src/packets.ts';
import { sendHeadersText } from '../src/reply-head.ts';
import { PayloadReader, stringText } from '../src/strings.ts';
import { forward, hex } from './writer.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const u16 = fc.integer({ min: 0, max: 65_535 });

it('every layout has the name that the protocol gives it, where it gives one, and says where it is described', () => {
  const names = new Map([
    [packetHeader, 'AjpPacket'],
    [requestBody, 'AjpRequestBody'],
    [stringHeader, 'AjpString'],
    [forwardRequest, 'AJP13_FORWARD_REQUEST'],
    [sendHeaders, 'AJP13_SEND_HEADERS'],
    [sendBodyChunk, 'AJP13_SEND_BODY_CHUNK'],
    [endResponse, 'AJP13_END_RESPONSE'],
    [getBodyChunk, 'AJP13_GET_BODY_CHUNK'],
  ] as [{ name: string; section: string }, string][]);
  for (const [{ name, section }, expected] of names) expect([name, section]).toEqual([expected, 'Tomcat, AJPv13']);
});

describe('what is read by hand', () => {
  it('reads a packet header as its layout says', () => {
    fc.assert(
      fc.property(u16, (length) => {
        const bytes = packetHeader.write({ magic: 0x1234, length });
        const reader = new PacketReader(0x1234, 8188);
        reader.receive(bytes);
        expect(reader.open()).toBe(true);
        expect(reader.length).toBe(packetHeader.parse(bytes).length);
      }),
    );
  });

  it('reads a string as its layout says', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\x01-\xff]{0,40}$/), (text) => {
        const bytes = Buffer.concat([stringHeader.write({ length: text.length }), latin1(`${text}\0`)]);
        expect(new PayloadReader(bytes).string()).toBe(text);
        expect(latin1(stringText(text))).toEqual(bytes);
      }),
    );
  });

  it('begins FORWARD_REQUEST as its layout says', () => {
    expect(forwardRequest.parse(forward({ method: 'POST' }), packetHeader.size)).toEqual({ type: 2, method: 4 });
  });

  it('knows a body packet by its layout', () => {
    expect(requestBody.parse(hex('12 34 00 07 00 05 68 65 6c 6c 6f'), packetHeader.size)).toEqual({ length: 5 });
  });
});

describe('what is written by hand', () => {
  const behindHeader = (text: string): Buffer => {
    const bytes = latin1(text);
    expect(packetHeader.parse(bytes)).toEqual({ magic: 0x4142, length: bytes.length - packetHeader.size });
    return bytes.subarray(packetHeader.size);
  };

  it('writes chunks as their layout says, with what stands before their content', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8184 }), (length) => {
        const text = chunksText('x'.repeat(length), 8184);
        expect(sendBodyChunk.parse(behindHeader(text))).toEqual({ type: 3, length });
        const header = latin1(chunkHeaderText(length));
        expect(header.length).toBe(7);
        expect(header).toEqual(latin1(text).subarray(0, 7));
      }),
      { numRuns: 30 },
    );
  });

  it('writes the small packets as their layouts say', () => {
    expect(endResponse.parse(behindHeader(END_REUSE))).toEqual({ type: 5, reuse: 1 });
    expect(endResponse.parse(behindHeader(END_CLOSE))).toEqual({ type: 5, reuse: 0 });
    expect(sendBodyChunk.parse(behindHeader(FLUSH))).toEqual({ type: 3, length: 0 });
    expect(getBodyChunk.parse(behindHeader(getBodyText(8186)))).toEqual({ type: 6, length: 8186 });
    expect(sendHeaders.parse(behindHeader(sendHeadersText(404, 'Not Found', ['Content-Type', 'a/b'], 8192)))).toEqual({
      type: 4,
      status: 404,
    });
  });

  it('writes what stands before a piece of a request body as its layout says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_530 }), (length) => {
        const bytes = latin1(bodyHeader(length));
        expect(packetHeader.parse(bytes)).toEqual({ magic: 0x1234, length: length + 2 });
        expect(requestBody.parse(bytes, packetHeader.size)).toEqual({ length });
        expect(bytes.length).toBe(packetHeader.size + requestBody.size);
      }),
    );
  });

  it('writes the bytes of the protocol', () => {
    expect(latin1(CPING)).toEqual(hex('12 34 00 01 0a'));
    expect(latin1(END_OF_BODY)).toEqual(hex('12 34 00 02 00 00'));
    expect(latin1(bodyHeader(5))).toEqual(hex('12 34 00 07 00 05'));
    expect(latin1(getBodyText(8186))).toEqual(hex('41 42 00 03 06 1f fa'));
    expect(latin1(CPONG)).toEqual(hex('41 42 00 01 09'));
    expect(latin1(END_REUSE)).toEqual(hex('41 42 00 02 05 01'));
    expect(latin1(FLUSH)).toEqual(hex('41 42 00 04 03 00 00 00'));
    expect(latin1(chunksText('hi', 8184))).toEqual(hex('41 42 00 06 03 00 02 68 69 00'));
  });
});
