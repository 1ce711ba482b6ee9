import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { repository } from '../../packages/testkit/src/index.ts';
import { attacks } from './smuggling/attacks.ts';
import { judge, misframed, type Outcome, unanswered } from './smuggling/judge.ts';
import { figures, type Row, tables } from './smuggling/page.ts';
import { type AllOpen, type Open, openWays, ways } from './smuggling/ways.ts';

/** `RECORD_SMUGGLING=1 npx jest test/interop/smuggling.test.ts` writes the tables anew. */
const recording = process.env.RECORD_SMUGGLING === '1';
const page = join(repository, 'docs/explanation/smuggling.md');
const [BEGIN, END] = ['<!-- recorded: begin -->', '<!-- recorded: end -->'];

let all: AllOpen;
let rows: Row[] = [];

async function attacked(open: Open): Promise<Row> {
  const outcomes: Outcome[] = [];
  for (const [i, attack] of attacks.entries()) outcomes.push(await judge(open, attack, i));
  return { way: open.way, outcomes };
}

beforeAll(async () => {
  all = await openWays();
  rows = await Promise.all(all.open.map(attacked));
}, 300_000);
afterAll(() => all?.stop());

describe('what a client hides in a request', () => {
  it.each(ways)('finds no second reader: $server over $name', ({ server, name }) => {
    const row = rows.find(({ way }) => way.server === server && way.name === name);
    const wrong = attacks.flatMap((attack, i) =>
      (row?.outcomes[i].wrong ?? ['not tried']).map((what) => `${attack.group}: ${attack.name}: ${what}`),
    );
    expect(wrong).toEqual([]);
  });

  it('would be noticed', () => {
    const seen = (id: number, body: string | undefined, stated?: string) => {
      const variables = { HTTP_TRANSFER_ENCODING: 'chunked' };
      return { id, method: 'GET', target: `/${id}`, stated, variables, body };
    };
    const answer = (id: number) => ({ status: 200, body: `seen as ${id}\n` });
    const both = [seen(4, ''), seen(5, '')];
    expect(unanswered([answer(4), answer(5)], both)).toEqual([]);
    expect(unanswered([answer(4), { status: 400, body: '' }], [seen(4, ''), seen(5, undefined)])).toEqual([]);
    for (const answers of [
      [answer(4)],
      [answer(5), answer(4)],
      [answer(4), answer(4)],
      [answer(4), answer(5), answer(6)],
    ])
      expect(unanswered(answers, both)).toHaveLength(1);
    expect(misframed(seen(4, 'abc', '5'))).toEqual(['/4: CONTENT_LENGTH 5 with 3 bytes', '/4: HTTP_TRANSFER_ENCODING']);
  });

  it('is seen by the application as docs/explanation/smuggling.md has it', () => {
    const text = readFileSync(page, 'utf8');
    const [from, to] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
    const now = `\n${figures(rows)}\n\n${tables(attacks, rows)}\n`;
    if (recording) writeFileSync(page, text.slice(0, from) + now + text.slice(to));
    // where it differs: RECORD_SMUGGLING=1 npx jest test/interop/smuggling.test.ts
    else expect(text.slice(from, to).split('\n')).toEqual(now.split('\n'));
  });
});
