import { describe, expect, it } from '@jest/globals';
import { Tunnel, type TunnelCarrier } from '../src/tunnel.ts';

/** What a tunnel does to its carrier, in order. */
class Carrier implements TunnelCarrier {
  readonly calls: string[] = [];

  write(chunks: readonly Uint8Array[]): void {
    this.calls.push(`write ${chunks.map((chunk) => Buffer.from(chunk)).join('|')}`);
  }

  endWriting(): void {
    this.calls.push('end');
  }

  pull(): void {
    this.calls.push('pull');
  }

  leave(error: Error | undefined): void {
    this.calls.push(error === undefined ? 'leave' : `leave ${error.message}`);
  }

  get done(): string[] {
    return this.calls.filter((call) => call !== 'pull');
  }
}

function opened(): { tunnel: Tunnel; carrier: Carrier } {
  const tunnel = new Tunnel();
  const carrier = new Carrier();
  tunnel.open(carrier);
  return { tunnel, carrier };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a tunnel', () => {
  it('gives one write at a time to its carrier, and those that wait together', async () => {
    const { tunnel, carrier } = opened();
    tunnel.write('a');
    tunnel.write('b');
    tunnel.write('c');
    await turn();
    expect(carrier.done).toEqual(['write a']);
    tunnel.drained();
    expect(carrier.done).toEqual(['write a', 'write b|c']);
  });

  it('says when it holds enough, and drains when its carrier has taken it', async () => {
    const { tunnel } = opened();
    expect(tunnel.write(Buffer.alloc(65_536))).toBe(false);
    let drained = false;
    tunnel.on('drain', () => {
      drained = true;
    });
    await turn();
    expect(drained).toBe(false);
    tunnel.drained();
    await turn();
    expect(drained).toBe(true);
  });

  it('asks for more only as it is read', async () => {
    const { tunnel, carrier } = opened();
    const pulls = (): number => carrier.calls.filter((call) => call === 'pull').length;
    const before = pulls();
    tunnel.received(Buffer.alloc(65_536));
    await turn();
    expect(pulls()).toBe(before);
    tunnel.read();
    await turn();
    expect(pulls()).toBeGreaterThan(before);
  });

  it('ends each half by itself, and is gone with both', async () => {
    const { tunnel, carrier } = opened();
    const events: string[] = [];
    for (const event of ['end', 'finish', 'close']) tunnel.on(event, () => events.push(event));
    tunnel.resume();
    tunnel.receivedEnd();
    await turn();
    expect(events).toEqual(['end']);
    expect(tunnel.write('still')).toBe(true);
    tunnel.drained();
    tunnel.end();
    await turn();
    expect(events).toEqual(['end', 'finish', 'close']);
    expect(carrier.done).toEqual(['write still', 'end', 'leave']);
  });

  it('that is destroyed leaves, and calls back who waits', async () => {
    const { tunnel, carrier } = opened();
    let called = false;
    tunnel.write('a', () => {
      called = true;
    });
    tunnel.destroy();
    await turn();
    expect(carrier.done).toEqual(['write a', 'leave']);
    expect([called, tunnel.closed]).toEqual([true, true]);
    tunnel.received(Buffer.from('late'));
    tunnel.receivedEnd();
  });

  it('that breaks tells its error to who listens, and to its carrier', async () => {
    const { tunnel, carrier } = opened();
    const errors: Error[] = [];
    tunnel.on('error', (error) => errors.push(error));
    tunnel.destroy(new Error('reset'));
    await turn();
    expect(errors).toMatchObject([{ message: 'reset' }]);
    expect(carrier.done).toEqual(['leave reset']);
  });

  it('that breaks where nobody listens only closes', async () => {
    const { tunnel } = opened();
    let closed = false;
    tunnel.on('close', () => {
      closed = true;
    });
    tunnel.destroy(new Error('reset'));
    await turn();
    expect(closed).toBe(true);
  });
});
