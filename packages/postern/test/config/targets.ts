import type { ListenTarget } from '@postern/server';

export function tcp(port: number, host = '127.0.0.1'): ListenTarget {
  return { transport: 'tcp', host, port };
}

export function unix(path: string): ListenTarget {
  return { transport: 'unix', path };
}

export const inherited: ListenTarget = { transport: 'fd', fd: 0 };

/** The lines that a web server reads. */
export function settings(config: string): string[] {
  return config
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
