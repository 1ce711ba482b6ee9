import { describe, expect, it } from '@jest/globals';
import { begin, type OneOfFive, params, stdin } from '@postern/testkit';
import { allHits, answer, hits, limited, type SomeLimits } from './limited.ts';
import { bytesOf, type Fields, make, ofSize, recordsOf, withFields } from './requests.ts';

const gateways = ['fastcgi', 'scgi', 'uwsgi', 'ajp'] as const;
const five = [...gateways, 'http'] as const;

function field(name: string, length: number): Fields {
  return [[name, 'x'.repeat(length)]];
}

/** One under and at the limit are served, one over is refused and counted. */
async function threePoints(
  protocol: OneOfFive,
  limits: SomeLimits,
  request: (size: number) => Uint8Array,
  name: 'maxEnvBytes' | 'maxEnvCount' | 'maxNameBytes' | 'maxValueBytes' | 'maxParamsRecords',
): Promise<void> {
  const all = await limited(protocol, limits);
  const limit = limits[name] as number;
  expect(await answer(all, request(limit - 1))).toBe(200);
  expect(await answer(all, request(limit))).toBe(200);
  expect(allHits(all)).toEqual({});
  expect(await answer(all, request(limit + 1))).toBe(431);
  expect(allHits(all)).toEqual({ [name]: 1 });
  expect(all.exchanges).toHaveLength(2);
}

describe('bytes of the variables', () => {
  it.each(gateways)('L5: 2000 bytes of variables over %s pass, one more is 431', async (protocol) => {
    await threePoints(
      protocol,
      { maxEnvBytes: 2000 },
      (size) => bytesOf(protocol, ofSize(protocol, size)),
      'maxEnvBytes',
    );
  });

  it.each(['fastcgi', 'scgi'] as const)('L5: the default of 131072 bytes over %s', async (protocol) => {
    const request = (size: number): Buffer => bytesOf(protocol, ofSize(protocol, size));
    await threePoints(protocol, { maxEnvBytes: 131_072 }, request, 'maxEnvBytes');
  });

  it('L5: a block of uwsgi with all the 65535 bytes that its size can say passes', async () => {
    expect(await answer(await limited('uwsgi', {}), bytesOf('uwsgi', ofSize('uwsgi', 65_535)))).toBe(200);
  });

  it.each(gateways)('L5: over %s the length alone is enough to refuse', async (protocol) => {
    const all = await limited(protocol, { maxEnvBytes: 2000 });
    const { front, block } = ofSize(protocol, 2001);
    // AJP says with the first byte of a packet what the packet is
    const known = protocol === 'fastcgi' ? params(block).subarray(0, 8) : block.subarray(0, protocol === 'ajp' ? 1 : 0);
    expect(await answer(all, front, known)).toBe(431);
    expect(hits(all, 'maxEnvBytes')).toBe(1);
  });

  it('L5: PARAMS that never end are refused with the record that is too much', async () => {
    const all = await limited('fastcgi', { maxEnvBytes: 10_000 });
    const { block } = ofSize('fastcgi', 60_000);
    expect(await answer(all, begin(), ...recordsOf(block, 1000))).toBe(431);
    expect(hits(all, 'maxEnvBytes')).toBe(1);
  });

  it('L5: fields of HTTP that never end are refused', async () => {
    const all = await limited('http', { maxEnvBytes: 2000 });
    expect(await answer(all, withFields('http', field('x-a', 1500)))).toBe(200);
    const { front, block } = make('http', field('x-a', 100_000));
    expect(await answer(all, front, block)).toBe(431);
    expect(allHits(all)).toEqual({ maxEnvBytes: 1 });
  });
});

describe('the number of variables', () => {
  it.each(five)('L6: 40 variables or fields over %s pass, one more is 431', async (protocol) => {
    const base = make(protocol, []).count;
    const request = (count: number): Buffer =>
      withFields(
        protocol,
        Array.from({ length: count - base }, (_, i) => [`x-${i}`, 'y']),
      );
    await threePoints(protocol, { maxEnvCount: 40 }, request, 'maxEnvCount');
  });

  it('L6: AJP reads 256 fields, whatever the limit is', async () => {
    const all = await limited('ajp', { maxEnvCount: 1000 });
    const fields = (count: number): Fields => Array.from({ length: count }, (_, i) => [`x-${i}`, 'y']);
    expect(await answer(all, withFields('ajp', fields(256)))).toBe(200);
    expect(await answer(all, withFields('ajp', fields(257)))).toBe(431);
    expect(allHits(all)).toEqual({ maxEnvCount: 1 });
  });

  it('L6: the default of 1000 variables over FastCGI', async () => {
    const base = make('fastcgi', []).count;
    const request = (count: number): Buffer =>
      withFields(
        'fastcgi',
        Array.from({ length: count - base }, (_, i) => [`x-${i}`, 'y']),
      );
    await threePoints('fastcgi', { maxEnvCount: 1000 }, request, 'maxEnvCount');
  });
});

describe('one variable', () => {
  const prefix: Record<OneOfFive, number> = { fastcgi: 5, scgi: 5, uwsgi: 5, ajp: 0, http: 0 };

  it.each(five)('L7: a name of 40 bytes over %s passes, one more is 431', async (protocol) => {
    const request = (size: number): Buffer =>
      withFields(protocol, [[`x${'n'.repeat(size - prefix[protocol] - 1)}`, 'y']]);
    await threePoints(protocol, { maxNameBytes: 40 }, request, 'maxNameBytes');
  });

  it.each(five)('L7: a value of 300 bytes over %s passes, one more is 431', async (protocol) => {
    await threePoints(
      protocol,
      { maxValueBytes: 300 },
      (size) => withFields(protocol, field('x-a', size)),
      'maxValueBytes',
    );
  });

  it('L7: a length that says too much is refused before the value comes', async () => {
    for (const [limits, lengths, name] of [
      [{ maxValueBytes: 300 }, [3, 0x80, 0, 1, 45], 'maxValueBytes'],
      [{ maxNameBytes: 40 }, [41, 0], 'maxNameBytes'],
    ] as const) {
      const all = await limited('fastcgi', limits);
      const { block } = make('fastcgi', []);
      const started = Buffer.concat([block, Buffer.from(lengths)]);
      const record = params(Buffer.concat([started, Buffer.alloc(400)])).subarray(0, 8 + started.length);
      expect(await answer(all, begin(), record)).toBe(431);
      expect(allHits(all)).toEqual({ [name]: 1 });
    }
  });

  it.each([
    ['a name', { maxNameBytes: 256 }, 'maxNameBytes'],
    ['a value', { maxValueBytes: 65_535 }, 'maxValueBytes'],
  ] as const)('L7: the default for %s over FastCGI', async (_, limits, name) => {
    const request = (size: number): Buffer =>
      name === 'maxNameBytes'
        ? withFields('fastcgi', [[`x${'n'.repeat(size - 6)}`, 'y']])
        : withFields('fastcgi', field('x-a', size));
    await threePoints('fastcgi', limits, request, name);
  });
});

describe('records and packets of a head', () => {
  it('L8: 20 records of PARAMS pass, one more is 431', async () => {
    const { block } = make('fastcgi', []);
    const inRecords = (count: number): Buffer => {
      const records = [...Array.from({ length: count - 1 }, (_, i) => params(block.subarray(i, i + 1)))];
      return Buffer.concat([begin(), ...records, params(block.subarray(count - 1)), params(), stdin()]);
    };
    await threePoints('fastcgi', { maxParamsRecords: 20 }, inRecords, 'maxParamsRecords');
  });

  it('L8: the default of 1024 records, each of one byte', async () => {
    const { block } = ofSize('fastcgi', 1025);
    const inRecords = (count: number): Buffer =>
      Buffer.concat([begin(), ...recordsOf(ofSize('fastcgi', count).block, 1), params(), stdin()]);
    expect(recordsOf(block, 1)).toHaveLength(1025);
    await threePoints('fastcgi', { maxParamsRecords: 1024 }, inRecords, 'maxParamsRecords');
  });

  it.each([
    [8192, {}],
    [16_384, { packetSize: 16_384 }],
  ])('L9: an AJP packet of %d bytes passes, one more is 400 and named in the log', async (size, peer) => {
    const all = await limited('ajp', {}, undefined, { peer });
    const packet = (bytes: number): Buffer => bytesOf('ajp', ofSize('ajp', bytes - 4));
    expect(await answer(all, packet(size - 1))).toBe(200);
    expect(await answer(all, packet(size))).toBe(200);
    expect(allHits(all)).toEqual({});
    expect(await answer(all, packet(size + 1))).toBe(400);
    expect(allHits(all)).toEqual({ packetSize: 1 });
    expect(all.logs[0].message).toContain(`packetSize is ${size}`);
  });

  it('L9: the length of an AJP packet alone is enough to refuse', async () => {
    const all = await limited('ajp', {});
    expect(await answer(all, Buffer.of(0x12, 0x34, 0x1f, 0xfd))).toBe(400);
    expect(hits(all, 'packetSize')).toBe(1);
  });
});
