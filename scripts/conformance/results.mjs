// What a run of the tests says of each row. A test belongs to the rows that its title begins with.
import { titleOf } from './titles.mjs';

/** @returns {Map<string, { passed: number, failed: number, texts: string[] }>} */
export function byRow(jestResults) {
  const rows = new Map();
  // jest begins with the files that took longest the last time
  const files = jestResults.testResults
    .map(({ assertionResults, testFilePath, name }) => ({ path: testFilePath ?? name, assertionResults }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { assertionResults, path } of files) {
    if (!/[\\/]test[\\/](conformance|faults)[\\/]/.test(path)) continue;
    for (const { title, status } of assertionResults) {
      const { ids, text } = titleOf(title);
      for (const id of ids) {
        const row = rows.get(id) ?? { passed: 0, failed: 0, texts: [] };
        rows.set(id, row);
        if (status === 'passed') row.passed++;
        else row.failed++;
        const plain = textOf(text);
        if (!row.texts.includes(plain)) row.texts.push(plain);
      }
    }
  }
  return rows;
}

/** Without the name of one input of many, and without the way it went. */
function textOf(text) {
  return text.replace(/, over a socket$/, '').replace(/ \([^()]*\)$/s, '');
}
