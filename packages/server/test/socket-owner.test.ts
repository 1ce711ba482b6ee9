import { chmodSync, lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@postern/testkit';
import { findOwner, setOwner } from '../src/socket-owner.ts';
import { atEnd } from './support/serving.ts';

describe('findOwner', () => {
  it('is 0660 and leaves user and group as they are where nothing is asked for', () => {
    expect(findOwner({})).toEqual({ mode: 0o660, uid: -1, gid: -1 });
  });

  it('takes numbers as they are, and looks names up', () => {
    expect(findOwner({ owner: '4711', group: '4712', mode: 0o600 })).toEqual({ mode: 0o600, uid: 4711, gid: 4712 });
    expect(findOwner({ owner: 'root' })).toMatchObject({ uid: 0 });
    expect(findOwner({ group: 'root' })).toMatchObject({ gid: 0 });
  });

  it.each(['no-such-user', '', '-1', '--help', 'root:x', '0x0'])('refuses the user %j by ERR_SOCKET_OWNER', (owner) => {
    expect(() => findOwner({ owner })).toThrow(
      expect.objectContaining({ name: 'ConfigError', code: 'ERR_SOCKET_OWNER' }),
    );
  });

  it('says what is missing: a user, or a group', () => {
    expect(() => findOwner({ owner: 'nonesuch' })).toThrow('owner=nonesuch: there is no such user');
    expect(() => findOwner({ group: 'nonesuch' })).toThrow('group=nonesuch: there is no such group');
  });
});

describe('setOwner', () => {
  it('sets just the mode where no owner is asked for', () => {
    const { path, remove } = temporaryFolder();
    atEnd(remove);
    const file = join(path, 'f');
    writeFileSync(file, '');
    chmodSync(file, 0o777);
    setOwner(file, { mode: 0o640, uid: -1, gid: -1 }, 'named');
    expect(lstatSync(file).mode & 0o7777).toBe(0o640);
  });

  it('refuses what the system refuses by ERR_SOCKET_OWNER with the path that was asked for', () => {
    expect(() => setOwner('/no/such/file', { mode: 0o660, uid: -1, gid: -1 }, '/run/app.sock')).toThrow(
      expect.objectContaining({
        code: 'ERR_SOCKET_OWNER',
        message: expect.stringMatching(/^\/run\/app\.sock: .*ENOENT/),
      }),
    );
  });
});
