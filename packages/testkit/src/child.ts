import { type ChildProcess, spawn } from 'node:child_process';

/** A program that a test runs, with what it printed. */
export interface Child {
  readonly process: ChildProcess;
  /** Everything on stdout and stderr so far. */
  output(): string;
  /** Waits until the output matches, and gives the match. Rejects when the program ends before, with its output. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** Waits for the end. */
  ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Ends this process, by its id, and waits. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Starts a program in the foreground. */
export function startChild(
  command: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; stdio?: ('ignore' | 'pipe' | number)[] } = {},
): Child {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const watchers = new Set<() => void>();
  const add = (chunk: Buffer): void => {
    text += chunk.toString();
    for (const watcher of watchers) watcher();
  };
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  const end = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  end.catch(() => {});
  return {
    process: child,
    output: () => text,
    said(pattern) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(text);
          if (match === null) return;
          watchers.delete(look);
          resolve(match);
        };
        watchers.add(look);
        look();
        end.then(
          ({ code, signal }) =>
            reject(new Error(`${command} ended (${code ?? signal}) before it said ${pattern}:\n${text}`)),
          reject,
        );
      });
    },
    ended: () => end,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return end;
    },
  };
}
