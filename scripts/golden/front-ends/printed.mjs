import { parseAddress } from '../../../.cache/postern/address.js';
import { webServerConfig } from '../../../.cache/postern/config/web-servers.js';
import { HOST } from '../ask.mjs';

/** What `postern config` prints for a site. */
export function printed(server, { address, ports }, options = {}) {
  return webServerConfig(server, parseAddress(address, 'listen'), {
    serverName: `${HOST}:${ports.plain}`,
    ...options,
  });
}

/** A text with one part of it changed. @throws Error the part is not there: what is printed has changed */
export function change(text, from, to) {
  // a path may have a $, which means something in a pattern's replacement alone
  const changed = text.replace(from, typeof from === 'string' ? () => to : to);
  if (changed === text) throw new Error(`${from} is not in:\n${text}`);
  return changed;
}

/** The lines from the first that begins with `opening` to the brace that closes its block. */
export function block(text, opening) {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.trimStart().startsWith(opening));
  if (from < 0) throw new Error(`${opening} is not in:\n${text}`);
  const indent = /^\s*/.exec(lines[from])[0];
  const to = lines.findIndex((line, i) => i > from && line.startsWith(`${indent}}`));
  return lines.slice(from, to + 1).join('\n');
}
