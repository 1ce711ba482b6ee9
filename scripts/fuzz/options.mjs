import { parseArgs } from 'node:util';

export const names = ['fastcgi', 'scgi', 'ajp', 'uwsgi']
  .flatMap((protocol) => [`${protocol}-server`, `${protocol}-client`])
  .concat('cgi-reply', 'fastcgi-pairs');

export const help = `npm run fuzz -- [targets] [options]

Feeds the decoders with mutated conversations, and keeps those that reach new code. What must hold
is in docs/explanation/fuzzing.md.

  targets              ${names.slice(0, 4).join(', ')},
                       ${names.slice(4).join(', ')}; all ten without any
  --seconds N          for each of them; 30 without it
  --minutes N          for all of them together
  --seed N             of chance; another one each time without it
  --input FILE         runs this one input on one target
  --replay             runs the corpus of the repository alone
  --keep               puts what was found into the corpus of the repository: the smallest inputs that reach all of it
  --help

Findings are written to .cache/fuzz/findings. Exit code 1: there are some. Exit code 2: the command is wrong.
`;

export class UsageError extends Error {}

/** @throws UsageError */
export function parseOptions(args) {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        seconds: { type: 'string' },
        minutes: { type: 'string' },
        seed: { type: 'string' },
        input: { type: 'string' },
        replay: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { values, positionals } = parsed;
  for (const name of positionals) {
    if (!names.includes(name)) throw new UsageError(`${name}: a target is one of ${names.join(', ')}`);
  }
  const chosen = positionals.length === 0 ? names : positionals;
  if (values.input !== undefined && chosen.length !== 1) throw new UsageError('--input FILE needs one target');
  if (values.seconds !== undefined && values.minutes !== undefined)
    throw new UsageError('--seconds is for each target, --minutes for all together: give one of them');
  const minutes = number('minutes', values.minutes);
  return {
    names: chosen,
    seconds: minutes === undefined ? (number('seconds', values.seconds) ?? 30) : (minutes * 60) / chosen.length,
    seed: number('seed', values.seed) ?? Date.now() >>> 0,
    input: values.input,
    replay: values.replay,
    keep: values.keep,
    help: values.help,
  };
}

function number(option, text) {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,10}$/.test(text)) throw new UsageError(`--${option} ${text}: a whole number`);
  return Number(text);
}
