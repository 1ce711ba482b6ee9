import { describe, expect, it } from '@jest/globals';
import { request } from '@postern/testkit';
import { firstLine, runChild } from './support/child.ts';
import { connectTo } from './support/peer.ts';
import { atEnd } from './support/serving.ts';

const target = { transport: 'tcp', host: '127.0.0.1', port: 0 } as const;

/** The body of what the server at this port answers. */
async function ask(port: number): Promise<string> {
  const peer = await connectTo({ host: '127.0.0.1', port });
  atEnd(() => peer.socket.destroy());
  peer.write(request());
  return (await peer.reply()).stdout.split('\n').at(-1) ?? '';
}

function portOf(line: string): number {
  return JSON.parse(line.slice('listening '.length)).port;
}

describe('what Node.js keeps its streams with', () => {
  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission';

  it.each<[options: string[], env: NodeJS.ProcessEnv]>([
    [['--pending-deprecation'], {}],
    [['--pending_deprecation'], {}],
    [[], { NODE_PENDING_DEPRECATION: '1' }],
    [[], { NODE_OPTIONS: '--pending-deprecation' }],
    [['--import', 'data:text/javascript,delete process.binding'], {}],
    [[permission, '--allow-fs-read=*', '--allow-fs-write=*', '--allow-addons'], {}],
  ])('is not asked for where that is warned of, forbidden or gone: %j %j', async (options, env) => {
    const child = runChild('child-server.ts', [JSON.stringify({ target })], { options, env });
    const port = portOf(await firstLine(child));
    expect(await ask(port)).toBe(`served by ${child.process.pid}`);
    expect(child.output()).not.toContain('DEP0111');
    child.process.kill('SIGTERM');
    expect(await child.ended()).toEqual({ code: 0, signal: null });
  });

  it('serves in workers of node:cluster', async () => {
    const child = runChild('child-cluster.ts', ['2', JSON.stringify({ target })]);
    await child.said(/^listening.*\n(?:.*\n)*?listening.*\n/m);
    const port = portOf(await firstLine(child));
    const served = new Set<string>();
    for (let i = 0; i < 4; i++) served.add(await ask(port));
    expect(served.size).toBe(2);
    child.process.kill('SIGTERM');
    expect(await child.ended()).toEqual({ code: 0, signal: null });
  });

  it('reads on in the right memory when one that hears of a piece throws', async () => {
    const child = runChild('throwing-reader.ts', []);
    expect((await child.said(/^read .*$/m))[0]).toBe('read 4000000 wrong 0 thrown 1');
    expect(await child.ended()).toEqual({ code: 0, signal: null });
  });
});
