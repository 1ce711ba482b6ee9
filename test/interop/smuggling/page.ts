import type { Attack } from './attacks.ts';
import type { Outcome } from './judge.ts';
import type { Way } from './ways.ts';

/** The outcomes of one way, in the order of the attacks. */
export interface Row {
  readonly way: Way;
  readonly outcomes: readonly Outcome[];
}

const servers = ['nginx', 'Apache'] as const;

/** The tables: a row for each attack, a column for each web server. */
export function tables(attacks: readonly Attack[], rows: readonly Row[]): string {
  const lines: string[] = [];
  attacks.forEach((attack, i) => {
    if (attack.group !== attacks[i - 1]?.group)
      lines.push('', `### ${attack.group}`, '', '| sent | nginx | Apache |', '|---|---|---|');
    const cells = servers.map((server) =>
      cell(rows.filter(({ way }) => way.server === server).map(({ way, outcomes }) => [way.name, outcomes[i].cell])),
    );
    lines.push(`| ${code(attack.name)} | ${cells.join(' | ')} |`);
  });
  return lines.join('\n').trimStart();
}

/** What most of the ways have comes first, without their names. */
function cell(pairs: readonly (readonly [way: string, text: string])[]): string {
  const ways = new Map<string, string[]>();
  for (const [way, text] of pairs) ways.set(text, [...(ways.get(text) ?? []), way]);
  const [[most], ...others] = [...ways].sort(([, a], [, b]) => b.length - a.length);
  return [escaped(most), ...others.map(([text, names]) => `*${names.join('; ')}:* ${escaped(text)}`)].join('<br>');
}

function escaped(text: string): string {
  return text.replace(/[|<>*_\\`]/g, '\\$&');
}

function code(text: string): string {
  return text.includes('`') ? escaped(text) : `\`${text.replaceAll('|', '\\|')}\``;
}

/** How many there were, and what came of them. */
export function figures(rows: readonly Row[]): string {
  const all = rows.flatMap(({ outcomes }) => outcomes);
  const count = (value: number): string => value.toLocaleString('en');
  const refused = (by: Outcome['refusedBy']): number => all.filter(({ refusedBy }) => refusedBy === by).length;
  const wrong = all.filter((outcome) => outcome.wrong.length > 0).length;
  return `${rows[0].outcomes.length} attacks over ${rows.length} ways are ${count(all.length)} cells. The web server refused ${count(refused('web server'))} by itself, postern behind it ${count(refused('postern'))}, and ${count(refused(undefined))} reached the application, each request as the one that the web server answered for. Smuggled: ${count(wrong)}.`;
}
