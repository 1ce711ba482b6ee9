import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { notBuilt } from '../../scripts/conformance/notes.mjs';
import { idsOf, tables } from '../../scripts/conformance/rows.mjs';
import { titleOf } from '../../scripts/conformance/titles.mjs';

const folders: Record<string, string[]> = {
  vectors: ['conformance/vectors'],
  limits: ['conformance/limits'],
  attacks: ['conformance/attacks', 'faults'],
};

/** The rows that anything in the sources is named after: titles of tests, and data. */
function named(folder: string): string[] {
  const path = join(__dirname, '..', folder);
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files.flatMap((file) => {
    const texts = readFileSync(join(path, file), 'utf8').matchAll(/['"`]([^'"`:\n]+)(['"`]|: )/g);
    return [...texts].flatMap(([, text]) => titleOf(`${text}: it`).ids);
  });
}

describe.each(Object.entries(tables))('the table of %s', (name, { sections }) => {
  const ids = new Set(folders[name].flatMap(named));

  it.each(sections)('has a test for each row: $title', (section) => {
    const missing = idsOf(section).filter((id) => !ids.has(id));
    expect(missing.filter((id) => !Object.hasOwn(notBuilt, id))).toEqual([]);
  });
});
