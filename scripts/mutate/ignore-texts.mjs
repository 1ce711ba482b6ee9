// A plug-in of Stryker: texts that are written for people are not mutated. Tests hold the codes of errors, not their words.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = fileURLToPath(new URL('../../packages', import.meta.url));

/** Functions that do nothing but throw, by their names: what they are given beside a code is the message. */
function throwingFunctions() {
  const names = new Set();
  for (const { name } of readdirSync(packages, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    for (const file of readdirSync(join(packages, name, 'src'), { recursive: true })) {
      if (!file.endsWith('.ts')) continue;
      const text = readFileSync(join(packages, name, 'src', file), 'utf8');
      for (const [, found] of text.matchAll(/function (\w+)\([^)]*\): never\b/g)) names.add(found);
    }
  }
  return names;
}

const throwing = throwingFunctions();
/** Of layouts and notices: what is printed of them. */
const toldProperties = new Set(['message', 'text', 'section']);

function isText(node) {
  // codes, and names of limits
  if (node.type === 'StringLiteral') return !/^(?:ERR_|max[A-Z])/.test(node.value);
  return node.type === 'TemplateLiteral' || (node.type === 'BinaryExpression' && node.operator === '+');
}

function isMessage(path) {
  const { node, parent } = path;
  if (!isText(node)) return false;
  if (parent.type === 'ObjectProperty') return parent.value === node && toldProperties.has(parent.key.name);
  if (parent.type !== 'NewExpression' && parent.type !== 'CallExpression') return false;
  if (!parent.arguments.includes(node) || parent.callee.type !== 'Identifier') return false;
  const { name } = parent.callee;
  return parent.type === 'NewExpression' ? name.endsWith('Error') : throwing.has(name);
}

export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'texts',
    value: { shouldIgnore: (path) => (isMessage(path) ? 'a text for people' : undefined) },
  },
];
