import { ConfigError, printable } from '@postern/core';
import { errorLine } from './log-lines.ts';
import { startDemo } from './start-demo.ts';

/** How long running answers may take after a stop was asked, in milliseconds. */
const GRACE = 1000;
const DEFAULT_PORT = 8080;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/**
 * `npm start`: runs the demo until SIGINT or SIGTERM; a second one ends it at once.
 * @param args `--port N`, or nothing
 * @returns the exit code: 0 stopped, 1 it failed, 2 the command or its configuration is wrong
 */
export async function runDemo(args: readonly string[]): Promise<number> {
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  try {
    const demo = await startDemo({ port: readPort(args), log: say });
    say(`listening ${demo.url}`);
    say(`the demo app answers on ${demo.backEnd}; stop with Ctrl+C`);
    await stopped;
    await demo.close(GRACE);
    return 0;
  } catch (error) {
    say(errorLine(error));
    return error instanceof ConfigError ? 2 : 1;
  }
}

/** @throws ConfigError ERR_USAGE, ERR_OPTION */
export function readPort(args: readonly string[]): number {
  if (args.length === 0) return DEFAULT_PORT;
  const [first, ...more] = args;
  const given = first.startsWith('--port=') ? [first.slice(7), ...more] : first === '--port' ? more : undefined;
  if (given === undefined || given.length !== 1)
    throw new ConfigError('ERR_USAGE', `"${printable(args.join(' '))}": the demo takes --port N and nothing else`);
  if (!/^[0-9]{1,5}$/.test(given[0]) || Number(given[0]) > 65_535)
    throw new ConfigError('ERR_OPTION', `--port "${printable(given[0])}": write a whole number from 0 to 65535`);
  return Number(given[0]);
}
