/** Stands for a write, or the closing of a half, that Node.js is at. */
export interface StreamRequest {
  oncomplete(status: number): void;
  /** Of a write, since Node.js 26: it is over already, and this is what it came to. */
  writeStatus?: number | null;
}

/**
 * What `net.Socket` is made of. It is had of `process.binding` alone, which Node.js deprecates in its documentation:
 * where that is forbidden, warned of, or gives anything else, connections are sockets.
 */
export interface StreamBinding {
  readonly WriteWrap: new () => StreamRequest;
  readonly ShutdownWrap: new () => StreamRequest;
  /** What the latest call of any stream came to, at the two places below. */
  readonly streamBaseState: ArrayLike<number>;
  /** Bytes that were read; below 0: the number of an error. */
  readonly kReadBytesOrError: number;
  /** Not 0: what was written has not all gone, and Node.js keeps the request. */
  readonly kLastWriteWasAsync: number;
  /** Since Node.js 26, where a write makes its request itself and returns it: not 0 if it failed. */
  readonly kLastWriteErr?: number;
}

/** The last major version of Node.js with which this was tried. */
const NEWEST = 26;

function find(): StreamBinding | undefined {
  const { versions, binding } = process as unknown as {
    versions: NodeJS.ProcessVersions;
    binding?(name: string): Partial<StreamBinding>;
  };
  // where Node.js is to warn of it, by whichever option, it has put a function of its own around it
  if (binding?.name !== 'binding' || !(Number.parseInt(versions.node, 10) <= NEWEST)) return undefined;
  try {
    const found = binding('stream_wrap');
    return isWhole(found) ? found : undefined;
  } catch {
    // the permission model forbids it
    return undefined;
  }
}

function isWhole(found: Partial<StreamBinding>): found is StreamBinding {
  return (
    typeof found.WriteWrap === 'function' &&
    typeof found.ShutdownWrap === 'function' &&
    typeof found.streamBaseState?.length === 'number' &&
    typeof found.kReadBytesOrError === 'number' &&
    typeof found.kLastWriteWasAsync === 'number'
  );
}

/** undefined: it is not to be had here. */
export const streamBinding: StreamBinding | undefined = find();
