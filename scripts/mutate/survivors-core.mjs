/** The same reason for several changes: each is what was there, what is there instead, and a part of the line if need be. */
function because(why, ...changes) {
  return changes.map(([from, to, line]) => ({ from, to, in: line, why }));
}

const shortCut = 'A short cut for what is seen most: the rule behind it says the same.';
const absent = 'Nothing stands at place -1, and what is not there means what the text in its place means.';
const noPlace = 'Behind the last name there is no rule, so that nothing is taken.';
const again = 'The place is looked for once more than it need be, and found again.';
const anew = 'It is set anew with each block, before it is read.';
const oneRow = 'There is one row.';
const here = '"Stryker was here!"';

/** Why a change in the header rules of `core` may pass every test: see survivors.mjs. */
export const core = {
  'cgi-head.ts': [
    ...because(
      shortCut,
      ["['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']", '[]'],
      ["method === 'GET' || method === 'POST'", 'false'],
      ["method === 'GET' || method === 'POST'", "method === 'GET' && method === 'POST'"],
      ["method === 'GET'", 'false', "method === 'POST'"],
      ["method === 'POST'", 'false'],
      ['method !== undefined && commonMethods.has(method)', 'false'],
      ['method !== undefined', 'true', 'commonMethods'],
      ['method !== undefined', 'method === undefined', 'commonMethods'],
      ["value === 'HTTP/1.1'", 'false'],
      ["'HTTP/1.1'", '""', "value === 'HTTP/1.1'"],
      ["https === '' && (scheme === 'http' || scheme === '')", 'false'],
      ["''", here, "https === ''"],
      ["scheme === 'http' || scheme === ''", "scheme === 'http' && scheme === ''"],
      ["scheme === 'http'", 'false'],
      ["'http'", '""', "https === ''"],
      ["scheme === ''", 'false'],
    ),
    ...because('It is a word of the message.', ["'CONTENT_LENGTH'", '""', 'checkContentLength']),
    ...because('Where no name is repeated the merged ones are the same.', ['names.repeated', 'true']),
    ...because(
      absent,
      ...['method', 'length', 'protocol', 'https', 'target'].map((place) => [`names.${place} < 0`, 'false']),
      ["''", here, 'names.https < 0'],
    ),
    ...because(noPlace, ['i < headers.length', 'i <= headers.length']),
  ],
  'cgi-reply-reader.ts': [
    ...because('A head does not end at place 0: the place is behind its last byte.', ['end < 0', 'end <= 0']),
    ...because('A line of one character is no header field: its reply is refused, one line sooner.', [
      'byte === 13',
      'true',
    ]),
    ...because('A line that begins with a colon is refused too: its name is no token.', ['colon < 0', 'colon <= 0']),
  ],
  'cgi-reply.ts': because(shortCut, ["status === 200 && reason === 'OK'", 'false']),
  'cgi-values.ts': because('Behind the last value there is none, and no control in it.', [
    'i < values.length',
    'i <= values.length',
  ]),
  'interim.ts': [
    ...because(
      oneRow,
      ['carriers.some(([name]) => name === peer)', 'carriers.every(([name]) => name === peer)'],
      [
        'carriers.some(([, begins]) => software.startsWith(begins))',
        'carriers.every(([, begins]) => software.startsWith(begins))',
      ],
    ),
    ...because('A text that no row begins with, whichever it is.', ["''", here]),
  ],
  'name-plan.ts': [
    ...because('Behind the last name there is no word, which none is equal to.', ['-1', '+1', 'END']),
    ...because('A name is ASCII: others are refused.', ["'latin1'", '""']),
    ...because(
      'Four bytes one by one are the same number.',
      ['bytes.length < 4', 'bytes.length <= 4'],
      ['length < 4', 'length <= 4'],
    ),
  ],
  'name-tree.ts': [
    ...because('The array grows instead of being there.', ['new Array<NameNode>(this.count)', 'new Array()']),
    ...because('Nobody asks for the name of the root.', ["''", here]),
  ],
  'name-walk.ts': [
    ...because('It is set anew with each request, before it is read.', ['-1', '+1', '#turn = -1']),
    ...because('The tree gives the same plan, a little later.', [
      'this.#turn < 0 && this.#plan.nodes.length === count',
      'false',
    ]),
  ],
  'reply-fields.ts': because(
    'Where all is blank the end goes before the beginning, and the slice is empty too.',
    ['to > from', 'true'],
    ['to > from', 'to >= from'],
  ),
  'variable-names.ts': because('The array grows instead of being there.', ['new Array(names.length)', 'new Array()']),
  'variable-reader.ts': [
    ...because(
      anew,
      ["''", here, '#text ='],
      ['[]', '["Stryker was here"]', '#values: string[]'],
      ...['#nul = -1', '#cr = -1', '#lf = -1', '#control = -1'].map((line) => ['-1', '+1', line]),
      ['false', 'true', '#suspect = false'],
    ),
    ...because('It is taken by the next block, which makes its own.', [
      '[]',
      '["Stryker was here"]',
      'this.#values = []',
    ]),
    ...because('The array grows instead of being there.', ['new Array(this.#usual)', 'new Array()']),
    ...because('The tree gives the same node, a little later.', ['this.#wordAt === 0', 'true']),
    ...because(
      'The view is made once more than it need be.',
      ['bytes !== this.#viewed', 'true'],
      ['this.#view.buffer !== bytes.buffer', 'true'],
    ),
    ...because(
      again,
      ['this.#control < end', 'true', 'this.#look'],
      ['this.#control < end', 'this.#control <= end', 'this.#look'],
      ...['nul', 'cr', 'lf'].flatMap((name) => [
        [`this.#${name} < from`, 'true'],
        [`this.#${name} < from`, `this.#${name} <= from`],
      ]),
    ),
    ...because('No value begins at place 0: a length or a name stands before it.', ['at < 0', 'at <= 0']),
    ...because(
      'Setting the length that it has changes nothing.',
      ['values.length > this.#count', 'true'],
      ['values.length > this.#count', 'values.length >= this.#count'],
    ),
  ],
};
