/** Where a back-end listens: the parsed form of an address. `postern` holds the grammar. */
export type ConnectTarget =
  | { readonly transport: 'tcp'; readonly host: string; readonly port: number }
  | { readonly transport: 'unix'; readonly path: string };

/** A target as people write it. */
export function targetName(target: ConnectTarget): string {
  if (target.transport === 'unix') return target.path;
  return target.host.includes(':') ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
}
