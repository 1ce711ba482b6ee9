import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { checkDescriptor, numberedDescriptor } from '../src/descriptor.ts';
import { atEnd } from './support/serving.ts';

const ADVICE = 'start it by what opens the socket (spawn-fcgi, mod_fcgid, lighttpd bin-path)';

describe('checkDescriptor', () => {
  it('gives the inode of a socket', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(() => server.close());
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    expect(checkDescriptor(numberedDescriptor(fd))).toBeGreaterThan(0);
  });

  it.each([
    ['/dev/null', 'a device'],
    [__filename, 'a file'],
    [__dirname, 'a folder'],
  ])('says of %s that it is %s', (path, kind) => {
    const fd = openSync(path, 'r');
    atEnd(() => closeSync(fd));
    expect(() => checkDescriptor(numberedDescriptor(fd))).toThrow(
      expect.objectContaining({ code: 'ERR_FD', message: `fd ${fd}: not a listening socket (${kind}): ${ADVICE}` }),
    );
  });

  it('says of none that it is not open', () =>
    expect(() => checkDescriptor(numberedDescriptor(9999))).toThrow(
      expect.objectContaining({ message: `fd 9999: not a listening socket (it is not open): ${ADVICE}` }),
    ));
});
