import { comparable, differences } from './compare.mjs';
import { explain, explanations } from './explained.mjs';
import { rows } from './requests.mjs';

/** What a request is called. */
function nameOf({ method = 'GET', target }) {
  return `${method} ${target}`;
}

/** What was recorded without a web server: by row and request. */
export function referenceOf(told) {
  return byRow((i, j) => comparable(told[i][j]));
}

/** Of one column: by row "=" where nothing differs, else by request what does. */
export function columnOf(reference, { address, told }) {
  const backEnd = /:(\d+)/.exec(address ?? '')?.[1];
  const found = byRow((i, j, request) =>
    differences(reference[rows[i].name][request], comparable(told[i][j], backEnd)),
  );
  return mapValues(found, (requests) => {
    const different = Object.entries(requests).filter(([, names]) => Object.keys(names).length > 0);
    return different.length === 0 ? '=' : Object.fromEntries(different);
  });
}

function byRow(of) {
  return Object.fromEntries(
    rows.map(({ name, asks }, i) => [
      name,
      Object.fromEntries(asks.map((request, j) => [nameOf(request), of(i, j, nameOf(request))])),
    ]),
  );
}

export function mapValues(object, of) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, of(value, key)]));
}

/**
 * The notes of each cell.
 * @param recorded by front-end and column
 * @returns rows of the table, and what has no explanation, one line each
 */
export function explainAll(recorded) {
  const table = [];
  const unexplained = [];
  const used = new Set();
  for (const [frontEnd, columns] of Object.entries(recorded)) {
    for (const [column, results] of Object.entries(columns)) {
      const cells = Object.entries(results).map(([row, result]) => {
        const notes = new Set();
        for (const [request, names] of result === '=' ? [] : Object.entries(result)) {
          for (const [name, value] of Object.entries(names)) {
            const note = explain(`${frontEnd}/${column}`, row, request, name, value);
            if (note !== undefined) notes.add(note);
            else unexplained.push(`${frontEnd} ${column}: ${row}: ${request}: ${name} is ${JSON.stringify(value)}`);
          }
        }
        for (const note of notes) used.add(note);
        return [...notes];
      });
      table.push({ frontEnd, column, cells });
    }
  }
  return { table, unexplained, unused: explanations.filter((note) => !used.has(note)) };
}
