import type { Seen } from './application.ts';
import { type Attack, LAST, visible } from './attacks.ts';
import { type Answer, exchange } from './exchange.ts';
import type { Open } from './ways.ts';

/** What came of one attack over one way. */
export interface Outcome {
  /** As the table has it. */
  readonly cell: string;
  /** What must not be; empty where one request in was one request out. */
  readonly wrong: readonly string[];
  /** Who kept it from the application; undefined: it got there. */
  readonly refusedBy: 'web server' | 'postern' | undefined;
}

/** Sends the attack, an honest request behind it on the same connection, and one on another connection. */
export async function judge({ way, port, behind }: Open, attack: Attack, number: number): Promise<Outcome> {
  const { bytes, late, body } = attack;
  const from = behind.seen.length;
  const answers = await (late === undefined ? exchange(port, bytes + LAST) : exchange(port, bytes, late + LAST));
  const seen = behind.seen.slice(from);
  const wrong = [...unanswered(answers, seen), ...seen.flatMap(misframed)];
  if (body !== undefined && !way.cutsBodies) wrong.push(...otherBodies(seen, body));
  wrong.push(...(await harm(port, behind.seen, number)));
  const asked = seen.some(({ target }) => target !== '/last');
  const refusedBy = asked ? undefined : answers.some(isOurs) ? 'postern' : 'web server';
  return { cell: cellOf(attack, answers, seen), wrong, refusedBy };
}

/** Of an honest request the application gets all of the body, or the web server has refused it. */
function otherBodies(seen: readonly Seen[], due: string): string[] {
  const odd = seen.filter(({ target, body }) => target === '/attack' && body !== due);
  return odd.map(({ body }) => `a body of ${body?.length} bytes in place of ${due.length}`);
}

/** postern's own refusals have one plain line. */
function isOurs({ body }: Answer): boolean {
  return /^[45][0-9]{2} [A-Z][A-Za-z ]+\n$/.test(body);
}

/** The number of the note that the application answered with; undefined: the web server answered. */
function noted({ body }: Answer): number | undefined {
  const id = /^seen as (\d+)\n$/.exec(body)?.[1];
  return id === undefined ? undefined : Number(id);
}

/** Each request that the application saw whole is one that the web server answered for, once and in its order. */
export function unanswered(answers: readonly Answer[], seen: readonly Seen[]): string[] {
  const answered = answers.flatMap((answer) => noted(answer) ?? []);
  const whole = seen.filter(({ body }) => body !== undefined).map(({ id }) => id);
  if (answered.join() === whole.join()) return [];
  return [`the application saw ${whole.join() || 'nothing'}, and the answers are of ${answered.join() || 'nothing'}`];
}

/** What the application is told of the framing is what it got, and nothing says otherwise. */
export function misframed({ body, stated, variables, target }: Seen): string[] {
  const wrong: string[] = [];
  if (body !== undefined && stated !== undefined && Number(stated) !== body.length)
    wrong.push(`${target}: CONTENT_LENGTH ${stated} with ${body.length} bytes`);
  for (const name of ['HTTP_TRANSFER_ENCODING', 'HTTP_CONTENT_LENGTH', 'HTTP_PROXY'])
    if (name in variables) wrong.push(`${target}: ${name}`);
  return wrong;
}

/** An honest client, whose request goes over the connections to the application that the attack used. */
async function harm(port: number, all: readonly Seen[], number: number): Promise<string[]> {
  const from = all.length;
  const target = `/honest?${number}`;
  const body = `honest ${number}`;
  const head = `POST ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`;
  const answers = await exchange(port, head + body);
  const seen = all.slice(from);
  const got = [
    answers.length,
    answers[0]?.status,
    answers[0] && noted(answers[0]),
    seen.length,
    seen[0]?.target,
    seen[0]?.body,
  ];
  const due = [1, 200, from, 1, target, body];
  return got.join() === due.join()
    ? []
    : [`an honest request got ${JSON.stringify(answers)} for ${JSON.stringify(seen)}`];
}

/** In the order of the answers: what the application saw, and what the web server said by itself. */
function cellOf(attack: Attack, answers: readonly Answer[], seen: readonly Seen[]): string {
  const parts: string[] = [];
  for (const answer of answers) {
    const id = noted(answer);
    const one = seen.find((request) => request.id === id);
    if (one !== undefined) parts.push(described(one, attack));
    else parts.push(isOurs(answer) ? `${answer.status} of postern` : String(answer.status || 'no head'));
  }
  for (const one of seen) if (one.body === undefined) parts.push(`broken off: ${described(one, attack)}`);
  const last = parts.at(-1) === 'GET /last';
  if (last) parts.pop();
  if (parts.length === 0) parts.push('nothing');
  return last ? parts.join(', ') : `${parts.join(', ')}; closed`;
}

function described({ method, target, body, variables }: Seen, { shows = [] }: Attack): string {
  const shown = shows.filter((name) => name in variables).map((name) => `${name}="${visible(variables[name])}"`);
  const size = body ? ` with ${body.length} bytes` : '';
  return [`${method} ${visible(target)}${size}`, ...(target === '/last' ? [] : shown)].join(' ');
}
