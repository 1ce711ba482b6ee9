/**
 * The arguments of a command line that is as plain as most are: one operand, and flags of this version, each once or in
 * `lists`, with their values. They are as yargs would have them: to load it takes longer than all else that serving begins
 * with. undefined: it is not so plain, and for yargs to read.
 * @param words those behind the command
 */
export function plainArguments(
  words: readonly string[],
  operand: string,
  flags: readonly string[],
  lists: readonly string[],
): Record<string, unknown> | undefined {
  const args: Record<string, unknown> = {};
  for (let i = 0; i < words.length; i++) {
    const flag = /^--([a-z-]+)(?:=([\s\S]*))?$/.exec(words[i]);
    const name = flag === null ? operand : flag[1];
    const value = flag === null ? words[i] : (flag[2] ?? words[++i]);
    // yargs takes quotation marks off
    if (value === undefined || /^(?:$|[-"'])/.test(value)) return undefined;
    if (flag !== null && !flags.includes(name)) return undefined;
    if (flag !== null && lists.includes(name)) args[name] = [...((args[name] as string[] | undefined) ?? []), value];
    else if (args[name] === undefined) args[name] = value;
    else return undefined;
  }
  return args[operand] === undefined ? undefined : args;
}
