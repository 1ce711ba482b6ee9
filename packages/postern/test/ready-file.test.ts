import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ReadyFile } from '../src/ready-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-ready-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('ReadyFile', () => {
  it('is there from write to remove, and holds the addresses', () => {
    const path = join(folder, 'ready');
    const file = new ReadyFile(path);
    expect(existsSync(path)).toBe(false);
    file.write(['fastcgi://127.0.0.1:9000', 'scgi+unix:/run/a.sock']);
    expect(readFileSync(path, 'utf8')).toBe('fastcgi://127.0.0.1:9000\nscgi+unix:/run/a.sock\n');
    file.remove();
    expect(existsSync(path)).toBe(false);
    file.remove();
  });

  it.each([
    '',
    'fastcgi://127.0.0.1:9000\n',
    'fastcgi+unix:/run/a.sock\najp://[::1]:8009\n',
    'http://127.0.0.1:1\nhttps+fd:3\nuwsgi://a:1\n',
  ])('removes what an older run has left: %j', (left) => {
    const path = join(folder, 'ready');
    writeFileSync(path, left);
    new ReadyFile(path);
    expect(existsSync(path)).toBe(false);
  });

  it('leaves alone what is no ready file', () => {
    const path = join(folder, 'app.mjs');
    writeFileSync(path, 'export default 1;\n');
    expect(() => new ReadyFile(path)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(path) }),
    );
    expect(readFileSync(path, 'utf8')).toBe('export default 1;\n');
    const link = join(folder, 'link');
    writeFileSync(join(folder, 'empty'), '');
    symlinkSync(join(folder, 'empty'), link);
    expect(() => new ReadyFile(link)).toThrow(/something else is there/);
    mkdirSync(join(folder, 'sub'));
    expect(() => new ReadyFile(join(folder, 'sub'))).toThrow(/something else is there/);
  });

  it('needs a folder', () => {
    expect(() => new ReadyFile(join(folder, 'none', 'ready'))).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining('does not exist') }),
    );
    writeFileSync(join(folder, 'file'), '');
    expect(() => new ReadyFile(join(folder, 'file', 'ready'))).toThrow(/is no folder/);
  });

  it('does not remove a file that somebody else has put there since', () => {
    const path = join(folder, 'ready');
    const file = new ReadyFile(path);
    file.write([]);
    rmSync(path);
    writeFileSync(join(folder, 'keeps the inode busy'), '');
    writeFileSync(path, 'theirs');
    file.remove();
    expect(readFileSync(path, 'utf8')).toBe('theirs');
  });

  it('is not written over something that came meanwhile', () => {
    const path = join(folder, 'ready');
    const file = new ReadyFile(path);
    writeFileSync(`${path}.${process.pid}.tmp`, 'theirs');
    expect(() => file.write([])).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(`${path}.${process.pid}.tmp`, 'utf8')).toBe('theirs');
  });
});
