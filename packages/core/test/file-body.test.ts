import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FileBody } from '../src/application.ts';
import { sendFile } from '../src/file-body.ts';
import { FakeExchange, until } from './fake-exchange.ts';

const folder = mkdtempSync(join(tmpdir(), 'file-body-'));
const path = join(folder, 'digits');
const large = join(folder, 'large');
const content = Array.from({ length: 20_000 }, (_, i) => String(i).padStart(10, '0')).join('');

beforeAll(() => {
  writeFileSync(path, '0123456789');
  writeFileSync(large, content);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function sent(file: FileBody, exchange = new FakeExchange()): Promise<FakeExchange> {
  await sendFile(exchange, { status: 200, reason: 'OK', headers: ['X-A', '1'] }, file);
  return exchange;
}

describe('a file body', () => {
  it.each<[string, { start?: number; end?: number }, string]>([
    ['all of it', {}, '0123456789'],
    ['from a place', { start: 3 }, '3456789'],
    ['up to a place, which is in it', { end: 3 }, '0123'],
    ['between two places', { start: 2, end: 4 }, '234'],
    ['one byte', { start: 9, end: 9 }, '9'],
    ['behind its end', { start: 10 }, ''],
    ['over its end', { start: 8, end: 100 }, '89'],
    ['between places in the wrong order', { start: 4, end: 3 }, ''],
  ])('is sent: %s', async (_, range, text) => {
    const exchange = await sent({ path, ...range });
    expect(exchange).toMatchObject({ status: 200, headers: ['X-A', '1'], body: text, calls: ['start', 'end'] });
  });

  it('of many pieces is sent in order', async () => {
    expect((await sent({ path: large })).body).toBe(content);
    expect((await sent({ path: large, start: 65_530, end: 131_080 })).body).toBe(content.slice(65_530, 131_081));
  });

  it('of a handle is sent, and the handle left open', async () => {
    const handle = await open(path);
    expect((await sent({ handle, start: 1, end: 2 })).body).toBe('12');
    expect((await handle.stat()).size).toBe(10);
    await handle.close();
  });

  it('that is not there fails the exchange before a head is sent', async () => {
    const exchange = await sent({ path: join(folder, 'none') });
    expect(exchange.started).toBe(false);
    expect(exchange.failures).toEqual([expect.objectContaining({ code: 'ENOENT' })]);
  });

  it('that cannot be read breaks the reply off', async () => {
    const exchange = await sent({ path: folder });
    expect(exchange.calls).toEqual(['start', 'fail']);
  });

  it('whose head is refused fails the exchange', async () => {
    const exchange = new FakeExchange();
    exchange.refusal = new Error('refused');
    await sent({ path }, exchange);
    expect(exchange.failures).toEqual([exchange.refusal]);
  });

  it('is read no further when the client leaves', async () => {
    const exchange = new FakeExchange();
    exchange.room = 1;
    const sending = sent({ path: large }, exchange);
    await until(() => exchange.body !== '');
    exchange.leave();
    await sending;
    expect(exchange.body).toBe(content.slice(0, 65_536));
    expect(exchange.failures).toEqual([]);
  });
});
