import { ConfigError, printable } from '@postern/core';
import type { WebServerTitle } from './backend.ts';

/** What must not stand in a path, and how that is said. */
export interface Forbidden {
  readonly found: RegExp;
  readonly named: string;
}

/** What the language of each web server has no way to write in quotes, and what it escapes with a backslash. */
const languages: Readonly<Record<WebServerTitle, { readonly never: Forbidden; readonly escaped: RegExp }>> = {
  nginx: { never: { found: /[\0-\x1f\x7f$]/, named: '$ or a control character' }, escaped: /["\\]/g },
  // Apache puts the value of a variable for ${NAME} wherever it stands
  Apache: { never: { found: /[\0-\x1f\x7f]|\$\{/, named: '${ or a control character' }, escaped: /["\\]/g },
  lighttpd: { never: { found: /[\0-\x1f\x7f\\]/, named: '\\ or a control character' }, escaped: /"/g },
  // Caddy puts the value of a placeholder for {name} wherever it stands
  Caddy: { never: { found: /[\0-\x1f\x7f\\{]/, named: '\\, { or a control character' }, escaped: /"/g },
  // HAProxy puts the value of a variable for $NAME in an address, escaped or not
  HAProxy: { never: { found: /[\0-\x1f\x7f$]/, named: '$ or a control character' }, escaped: /["\\]/g },
};

/** @throws ConfigError ERR_OPTION: the path cannot be written in the language of the web server, or not in this place */
export function checkPath(
  server: WebServerTitle,
  path: string,
  flag: 'listen' | 'root' | 'program',
  here?: Forbidden,
): void {
  for (const forbidden of [languages[server].never, here]) {
    if (forbidden?.found.test(path))
      throw new ConfigError(
        'ERR_OPTION',
        `--${flag} "${printable(path)}": ${server} has no way to write ${forbidden.named} there: choose another path`,
      );
  }
}

/** A text in quotes that `checkPath` let through. */
export function quote(server: WebServerTitle, text: string): string {
  return `"${text.replace(languages[server].escaped, '\\$&')}"`;
}

/** Lines one step further in; empty ones stay empty. */
export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `    ${line}`));
}

/** A block in braces, or the lines alone where there is no head. */
export function braces(head: string | undefined, lines: readonly string[]): string[] {
  return head === undefined ? [...lines] : [`${head} {`, ...indent(lines), '}'];
}

/** A text file of groups of lines, with an empty line between those that have any. */
export function fileOf(groups: readonly (readonly string[])[]): string {
  return `${paragraphs(groups).join('\n')}\n`;
}

/** Groups of lines, with an empty line between those that have any. */
export function paragraphs(groups: readonly (readonly string[])[]): string[] {
  return groups.filter((group) => group.length > 0).flatMap((group, i) => (i === 0 ? group : ['', ...group]));
}
