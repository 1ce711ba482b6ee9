import { startChild } from '../../packages/testkit/src/index.ts';

/**
 * How curl ends when the app (test/fixtures/plain.mjs) gets a signal behind the first bytes of its reply: at SIGUSR2 it
 * throws. 0 is a complete transfer, 18 one that was cut.
 */
export async function curlExitCode(port: number, query: string, signal: 'SIGUSR2' | 'SIGKILL'): Promise<number | null> {
  const url = `http://127.0.0.1:${port}/throw-when-told${query}`;
  const curl = startChild('curl', ['-sSN', '--max-time', '20', '-H', 'Connection: close', url]);
  const [, pid] = await curl.said(/pid (\d+)/);
  process.kill(Number(pid), signal);
  return (await curl.ended()).code;
}
