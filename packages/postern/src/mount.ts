import { ConfigError, printable } from '@postern/core';

/**
 * The prefix under which an application is mounted, as the paths of requests are compared with it: '/' becomes '',
 * '/app/' becomes '/app', and a string of characters becomes bytes as latin-1.
 * @throws ConfigError ERR_OPTION
 */
export function normaliseMount(mount: string | undefined): string | undefined {
  if (mount === undefined) return undefined;
  const refuse = (why: string): never => {
    throw new ConfigError(
      'ERR_OPTION',
      `mount "${printable(String(mount))}": ${why}: write the decoded path, such as /app`,
    );
  };
  if (typeof mount !== 'string' || !mount.startsWith('/')) refuse('it does not begin with a slash');
  if (/[\0-\x1f\x7f?#%]/.test(mount)) refuse('it has a control character, ?, # or an escape');
  if (/\/\/|\/\.{1,2}(?:\/|$)/.test(mount)) refuse('it has an empty or dot segment');
  return Buffer.from(mount.replace(/\/$/, ''), 'utf8').toString('latin1');
}
