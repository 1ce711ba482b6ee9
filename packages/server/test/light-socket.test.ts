import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder, until as untilRight } from '@postern/testkit';
import type { SocketEvents } from '../src/driven-socket.ts';
import { acceptLight, type LightSocket } from '../src/light-socket.ts';
import { atEnd, turns } from './support/serving.ts';

function until(isSo: () => boolean): Promise<boolean> {
  return untilRight(isSo, Boolean);
}

/** Keeps what it hears. */
class Ear implements SocketEvents {
  text = '';
  /** What is not lent, as it came: each with what its bytes were. */
  readonly kept: [chunk: Buffer, copy: Buffer][] = [];
  readonly heard: string[] = [];
  hears: (() => void) | undefined;

  receive(chunk: Buffer, lent: boolean): boolean {
    const long = chunk.length >= 32_768;
    if (long && !lent) this.kept.push([chunk, Buffer.from(chunk)]);
    this.text += chunk.toString('latin1');
    this.hears?.();
    return long;
  }

  receiveEnd(): void {
    this.heard.push('end');
  }

  drained(): void {
    this.heard.push('drained');
  }

  broken(error: NodeJS.ErrnoException): void {
    this.heard.push(`broken ${error.code} ${error.syscall}`);
  }

  closed(): void {
    this.heard.push('closed');
  }
}

interface Pair {
  light: LightSocket;
  ear: Ear;
  peer: Socket;
  /** What the peer got. */
  got: () => Buffer;
  server: Server;
}

async function pair(transport: 'tcp' | 'unix'): Promise<Pair> {
  const server = createServer();
  const folder = temporaryFolder();
  const path = join(folder.path, 's');
  server.listen(transport === 'unix' ? { path } : { host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const accepted = new Promise<LightSocket>((resolve) => acceptLight(server, resolve));
  const peer = connect(transport === 'unix' ? { path } : { port: (server.address() as AddressInfo).port });
  peer.on('error', () => {});
  const chunks: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(peer, 'connect');
  const light = await accepted;
  const ear = new Ear();
  light.attach(ear);
  atEnd(() => {
    peer.destroy();
    light.destroy();
    server.close();
    folder.remove();
  });
  return { light, ear, peer, got: () => Buffer.concat(chunks), server };
}

/** Writes until something waits. */
function fill(light: LightSocket): number {
  let bytes = 0;
  for (const piece = Buffer.alloc(65_536, 'x'); ; ) {
    bytes += piece.length;
    if (!light.write(piece)) return bytes;
  }
}

describe.each(['tcp', 'unix'] as const)('a light socket over %s', (transport) => {
  it('hears what the peer sends, and its end once', async () => {
    const { light, ear, peer } = await pair(transport);
    peer.write('a\xff', 'latin1');
    await until(() => ear.text === 'a\xff');
    peer.end('b');
    await until(() => ear.heard.includes('end'));
    expect([ear.text, light.readableEnded, light.destroyed]).toEqual(['a\xffb', true, false]);
    light.end();
    await until(() => ear.heard.includes('closed'));
    expect(ear.heard).toEqual(['end', 'closed']);
  });

  it('writes text, bytes and several pieces in order, and closes its half behind them', async () => {
    const { light, ear, peer, got } = await pair(transport);
    expect(light.write('a\xff')).toBe(true);
    expect(light.write(Buffer.from('b'))).toBe(true);
    expect(light.write([Buffer.from('c'), Buffer.from('d')])).toBe(true);
    light.end();
    expect([light.writableEnded, light.write('never'), light.write([Buffer.from('never')])]).toEqual([
      true,
      false,
      false,
    ]);
    await once(peer, 'end');
    expect(got().toString('latin1')).toBe('a\xffbcd');
    await until(() => ear.heard.includes('closed'));
    expect(light.writableFinished).toBe(true);
  });

  it('says what does not go at once, tells when all has gone, and ends behind it', async () => {
    const { light, ear, peer, got } = await pair(transport);
    peer.pause();
    const bytes = fill(light);
    expect(light.write('more')).toBe(false);
    light.end();
    await turns(3);
    expect(ear.heard).toEqual([]);
    peer.resume();
    await once(peer, 'end');
    expect(got().length).toBe(bytes + 4);
    expect(ear.heard[0]).toBe('drained');
  });

  it('writes nothing where there is nothing, whether or not something waits', async () => {
    const { light, ear, peer, got } = await pair(transport);
    const nothing = ['', Buffer.alloc(0), [], [Buffer.alloc(0)]];
    expect(nothing.map((none) => light.write(none))).toEqual([true, true, true, true]);
    peer.pause();
    const bytes = fill(light);
    expect(nothing.map((none) => light.write(none))).toEqual([false, false, false, false]);
    peer.resume();
    await until(() => ear.heard.includes('drained'));
    light.end();
    await once(peer, 'end');
    expect(got().length).toBe(bytes);
  });

  it('keeps bytes that wait as they were, when its next writes come', async () => {
    const { light, ear, peer, got } = await pair(transport);
    peer.pause();
    const bytes = fill(light);
    for (let i = 0; i < 100; i++) light.write(`<${i}>`);
    peer.resume();
    await until(() => ear.heard.includes('drained'));
    light.write('last');
    light.end();
    await once(peer, 'end');
    const text = Array.from({ length: 100 }, (_, i) => `<${i}>`).join('');
    expect(got().subarray(bytes).toString()).toBe(`${text}last`);
  });

  it('gives long pieces away and lends short ones, and each is what was sent', async () => {
    const { ear, peer } = await pair(transport);
    let sent = '';
    for (const letter of 'abc') {
      const long = Buffer.alloc(2_000_000, letter);
      peer.write(long);
      await until(() => ear.text.length === sent.length + long.length);
      sent += long.toString();
      peer.write('short');
      sent += 'short';
      await until(() => ear.text.length === sent.length);
      expect(ear.text === sent).toBe(true);
    }
    expect(ear.kept.length).toBeGreaterThan(3);
    for (const [chunk, copy] of ear.kept) {
      expect(chunk.length).toBeGreaterThanOrEqual(32_768);
      expect(chunk.equals(copy)).toBe(true);
    }
  });

  it('holds no memory of its own for the pieces of a peer that sends no more than one at a time', async () => {
    const { ear, peer } = await pair(transport);
    for (let size = 40_000; size <= 200_000; size += 40_000) {
      peer.write(Buffer.alloc(40_000, 'x'));
      await until(() => ear.text.length === size);
    }
    expect(ear.kept).toEqual([]);
  });

  it('reads nothing while it is paused', async () => {
    const { light, ear, peer } = await pair(transport);
    ear.hears = () => light.pause();
    peer.write('a');
    await until(() => ear.text === 'a');
    expect(light.isPaused()).toBe(true);
    peer.write('b');
    await turns(20);
    expect(ear.text).toBe('a');
    ear.hears = undefined;
    light.resume();
    light.resume();
    await until(() => ear.text === 'ab');
    expect(light.isPaused()).toBe(false);
  });

  it('is closed for the peer and for who listens', async () => {
    const { light, ear, peer } = await pair(transport);
    light.destroy();
    light.destroy();
    expect([light.destroyed, light.write('x'), light._handle]).toEqual([true, false, null]);
    await once(peer, 'close');
    await until(() => ear.heard.length > 0);
    light.resume();
    light.pause();
    light.end();
    await turns(3);
    expect(ear.heard).toEqual(['closed']);
  });

  it('is closed soon: behind what waits', async () => {
    const { light, ear, peer, got } = await pair(transport);
    peer.pause();
    const bytes = fill(light);
    light.destroySoon();
    expect(light.destroyed).toBe(false);
    peer.resume();
    await once(peer, 'end');
    await until(() => ear.heard.includes('closed'));
    expect(got().length).toBe(bytes);
    light.destroySoon();
  });

  it('is closed soon at once, where its half is closed already', async () => {
    const { light, ear } = await pair(transport);
    light.end();
    await until(() => light.writableFinished);
    light.destroySoon();
    expect(light.destroyed).toBe(true);
    await until(() => ear.heard.includes('closed'));
  });

  it('hears that a write failed, once, and that it is closed', async () => {
    const { light, ear, peer } = await pair(transport);
    light.pause();
    peer.destroy();
    await once(peer, 'close');
    await until(() => {
      light.write('x');
      return light.destroyed;
    });
    await until(() => ear.heard.includes('closed'));
    expect(ear.heard).toHaveLength(2);
    expect(ear.heard[0]).toMatch(/^broken (?:EPIPE|ECONNRESET) write$/);
  });

  it('hears nothing of writes that waited when it was closed', async () => {
    const { light, ear, peer } = await pair(transport);
    peer.pause();
    fill(light);
    light.destroy();
    await until(() => ear.heard.includes('closed'));
    await turns(3);
    expect(ear.heard).toEqual(['closed']);
  });

  it('names its peer', async () => {
    const { light, peer } = await pair(transport);
    expect([light.remoteAddress, light.remotePort, light.remoteFamily]).toEqual(
      transport === 'tcp' ? ['127.0.0.1', peer.localPort, 'IPv4'] : [undefined, undefined, undefined],
    );
  });

  it('is reset, or closed where there is no reset', async () => {
    const { light, ear, peer } = await pair(transport);
    const errors: string[] = [];
    peer.on('error', ({ code }: NodeJS.ErrnoException) => errors.push(String(code)));
    light.resetAndDestroy();
    light.resetAndDestroy();
    await until(() => peer.closed && ear.heard.length > 0);
    expect([errors, ear.heard]).toEqual([transport === 'tcp' ? ['ECONNRESET'] : [], ['closed']]);
  });
});

describe('a light socket over TCP', () => {
  it('hears that its peer was reset', async () => {
    const { ear, peer } = await pair('tcp');
    peer.resetAndDestroy();
    await until(() => ear.heard.includes('closed'));
    expect(ear.heard).toEqual(['broken ECONNRESET read', 'closed']);
  });

  it('is reset also where its end waits behind what was written', async () => {
    const { light, ear, peer } = await pair('tcp');
    peer.pause();
    fill(light);
    light.end();
    light.resetAndDestroy();
    await until(() => ear.heard.includes('closed'));
    // behind a FIN the first write would go
    const error = await new Promise<unknown>((resolve) => peer.write('x', resolve));
    expect(error).toMatchObject({ syscall: 'write' });
  });

  it('is closed also while its half is being closed, when it should be reset', async () => {
    const { light, ear } = await pair('tcp');
    light.end();
    light.resetAndDestroy();
    await until(() => ear.heard.includes('closed'));
    expect(light.destroyed).toBe(true);
  });
});
