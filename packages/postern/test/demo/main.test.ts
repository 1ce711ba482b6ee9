import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { askHttp as ask } from '@postern/testkit';
import { readPort, runDemo } from '../../src/demo/main.ts';

let written: string;
/** Called for each write to stderr. */
let onWrite: () => void;

beforeEach(() => {
  written = '';
  onWrite = () => {};
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += text;
    onWrite();
    return true;
  });
});
afterEach(() => jest.restoreAllMocks());

describe('the command that runs the demo', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('says where the page is, and ends with 0 at %s', async (signal) => {
    const listening = new Promise<string>((resolve) => {
      onWrite = () => {
        const url = /^listening (\S+)$/m.exec(written)?.[1];
        if (url !== undefined && written.includes('stop with')) resolve(url);
      };
    });
    const ended = runDemo(['--port', '0']);
    const url = new URL(await listening);
    expect((await ask(Number(url.port), '/')).status).toBe(200);
    process.emit(signal);
    expect(await ended).toBe(0);
    await expect(ask(Number(url.port), '/')).rejects.toThrow('ECONNREFUSED');
  });

  it('on a port that is taken writes one line and ends with 2', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    expect(await runDemo(['--port', String(port)])).toBe(2);
    expect(written).toBe(
      `ERR_ADDRESS_IN_USE: 127.0.0.1:${port}: another process listens there: stop it or choose another port with --port\n`,
    );
    taken.close();
  });

  it.each([
    [['--port'], 'ERR_USAGE'],
    [['--port', '1', '2'], 'ERR_USAGE'],
    [['--prot', '1'], 'ERR_USAGE'],
    [['--port', 'x'], 'ERR_OPTION'],
    [['--port=65536'], 'ERR_OPTION'],
    [['--port', '-1'], 'ERR_OPTION'],
  ])('with %j writes one line and ends with 2', async (args, code) => {
    expect(await runDemo(args)).toBe(2);
    expect(written).toMatch(new RegExp(`^${code}: [^\\n]+\\n$`));
  });

  it('takes the port in both ways, and 8080 without one', () => {
    expect([readPort([]), readPort(['--port', '9090']), readPort(['--port=65535'])]).toEqual([8080, 9090, 65_535]);
  });
});
