/** One line on stderr. */
export function say(line: string): void {
  process.stderr.write(`${line.replaceAll('\n', ' ')}\n`);
}
