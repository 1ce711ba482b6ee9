import type { Interface } from '../interface.ts';
import { readLimitFlags } from '../limit-flags.ts';
import type { ServeOptions } from '../serve.ts';
import { single } from '../usage.ts';

/** What the flags of `postern serve` say of the app, however it is served. */
export interface ServeFlags extends Pick<ServeOptions, 'interface' | 'mount' | 'limits'> {
  readonly module: string;
}

/** @throws ConfigError ERR_OPTION, ERR_USAGE */
export function readServeFlags(args: Record<string, unknown>): ServeFlags {
  return {
    module: single(args.module, 'module') as string,
    interface: single(args.interface, 'interface') as Interface | undefined,
    mount: single(args.mount, 'mount'),
    limits: readLimitFlags(args),
  };
}
