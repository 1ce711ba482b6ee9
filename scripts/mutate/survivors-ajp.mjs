/** The same reason for several changes: each is what was there, what is there instead, and a part of the line if need be. */
function because(why, ...changes) {
  return changes.map(([from, to, line]) => ({ from, to, in: line, why }));
}

/** Of `placeOf`: each sum with a difference in its place, each product with a quotient. */
const [first, second, third, fourth] = [
  'length + bytes[at] * 3',
  ' + bytes[at + (length >> 1)] * 5',
  ' + bytes[last - (length >> 2)] * 11',
  ' + bytes[last] * 7',
];
const minus = (term) => term.replace(' + ', ' - ');
const placeChanges = [
  [first, minus(first)],
  [first + second, first + minus(second)],
  [first + second + third, first + second + minus(third)],
  [first + second + third + fourth, first + second + third + minus(fourth)],
  ...[first, second, third, fourth].map((term) => {
    const product = term.slice(term.indexOf('bytes'));
    return [product, product.replace('*', '/')];
  }),
  ['at + (length >> 1)', 'at - (length >> 1)'],
  ['last - (length >> 2)', 'last + (length >> 2)'],
];

/** Of packages/ajp: see survivors.mjs. */
export const ajp = {
  'ajp-head.ts': [{ from: 'repeated', to: 'true', why: 'What is not repeated comes out of it the same.' }],
  'attributes.ts': [
    { from: 'i < variables.length', to: 'i <= variables.length', why: 'Behind the last pair stands no name.' },
    {
      from: '{ queryString: undefined, storedMethod: undefined }',
      to: '{}',
      why: 'What is not there is undefined as well.',
    },
    { from: "''", to: '"Stryker was here!"', why: 'A text that is never the secret, whichever it is.' },
  ],
  'client-connection.ts': [
    { from: 'false', to: 'true', in: '#keep = false', why: 'It is set with each request, and looked at behind one.' },
    {
      from: "this.#state !== 'over'",
      to: 'true',
      why: 'What is thrown away would be kept and never read: only memory tells.',
    },
    {
      from: "'over'",
      to: '""',
      in: 'this.#packets.receive(chunk)',
      why: 'What is thrown away would be kept and never read: only memory tells.',
    },
    {
      from: '!(error instanceof RemoteProtocolError)',
      to: 'false',
      why: 'A defect apart, nothing else is thrown there.',
    },
    {
      from: 'packets.length >= 0',
      to: 'packets.length > 0',
      why: 'A packet without payload is refused as soon as it is open.',
    },
    { from: 'type === undefined', to: 'false', why: 'Without its type nothing of a packet can be taken yet.' },
    { from: "'END_RESPONSE'", to: '""', in: 'END_CLOSE', why: 'It is a word of the message.' },
  ],
  'forward-request.ts': [
    {
      from: "''",
      to: '"Stryker was here!"',
      in: "values.get('HTTPS')",
      why: 'Neither text is one that means https.',
    },
  ],
  'head.ts': [{ from: 'i < headers.length', to: 'i <= headers.length', why: 'Behind the last pair stands no name.' }],
  'packet-reader.ts': [
    ...because(
      'A short cut: the same bytes are looked at, or none.',
      ['count === chunk.length', 'false'],
      ['count < chunk.length', 'true'],
      ['count < chunk.length', 'count <= chunk.length'],
    ),
    ...because(
      'The payload is taken first, and read then.',
      ['this.#payload === undefined', 'false', 'input.front'],
      ['front === undefined', 'true'],
    ),
    ...because(
      'It is put together as it comes, or later: the bytes are the same, some are copied twice.',
      ['this.#payload === undefined && length >= LARGE && length < this.length && length * 4 >= this.length', 'false'],
      ...['true', 'length > LARGE', 'length < LARGE'].map((to) => ['length >= LARGE', to]),
      ['this.#payload === undefined', 'this.#payload !== undefined', 'LARGE'],
      ['length < this.length', 'length <= this.length'],
      ...['true', 'length * 4 > this.length', 'length * 4 < this.length'].map((to) => [
        'length * 4 >= this.length',
        to,
      ]),
      ['length * 4', 'length / 4'],
    ),
    {
      from: 'this.length >= 0',
      to: 'this.length > 0',
      why: 'A packet without payload is taken, or refused, as soon as it is open.',
    },
    {
      from: 'this.length < 0',
      to: 'this.length <= 0',
      why: 'A packet without payload is taken, or refused, as soon as it is open.',
    },
    { from: '{ this.#input.settle(); }', to: '{}', why: 'It copies what holds more memory than it needs.' },
    { from: '-1', to: '+1', in: 'this.length = -1;', why: 'Nothing is read behind `clear`.' },
  ],
  'reply-reader.ts': [
    { from: '{ maxReplyHeaders: most }', to: '{}', why: 'The number of fields was checked before they are read.' },
  ],
  'reply-head.ts': [
    { from: "'OK'", to: '""', why: 'Without a reason it is that of the status, which is OK.' },
    { from: "status === 200 && reason === 'OK'", to: 'false', why: 'A short cut: it is put together anew.' },
  ],
  'reply-output.ts': [
    { from: "typeof chunk === 'string'", to: 'true', why: 'The bytes are copied once more than they need be.' },
    { from: "'latin1'", to: '""', in: 'bytes.write(after', why: 'FLUSH and END_RESPONSE have no byte above 0x7F.' },
  ],
  'reply.ts': [
    { from: "''", to: '"Stryker was here!"', why: 'Before the first request there is no reply that looks at it.' },
    { from: 'false', to: 'true', why: 'A flush is allowed behind a head alone, and a head sets it.' },
  ],
  'secret.ts': [
    { from: 'secret === undefined', to: 'false', why: 'As a text, "undefined", it passes the pattern too.' },
    { from: "'latin1'", to: '""', why: 'Both secrets are hashed as UTF-8 then, which tells them apart as well.' },
  ],
  'server-connection.ts': [
    {
      from: "this.#receive !== 'dropped'",
      to: 'true',
      why: 'What is thrown away would be kept and never read: only memory tells.',
    },
    {
      from: "'dropped'",
      to: '""',
      in: 'this.#packets.receive(chunk)',
      why: 'What is thrown away would be kept and never read: only memory tells.',
    },
    {
      from: 'packets.length >= 0',
      to: 'packets.length > 0',
      why: 'A packet without payload is taken, or refused, as soon as it is open.',
    },
    {
      from: 'step === undefined',
      to: 'false',
      why: 'Then `settle` is left out, which copies what holds more memory than it needs.',
    },
    {
      from: '!(error instanceof RemoteProtocolError)',
      to: 'false',
      why: 'A defect apart, nothing else is thrown there.',
    },
    { from: "''", to: '"Stryker was here!"', why: 'A request that was refused is never answered in parts.' },
    {
      from: 'this.#output.dueBytes < MAX_ANSWERS',
      to: 'this.#output.dueBytes <= MAX_ANSWERS',
      why: 'One byte of 65536, in packets of five.',
    },
  ],
  'strings.ts': [
    {
      from: "''",
      to: '"Stryker was here!"',
      why: 'A name is compared with what is kept: one that is another is not taken.',
    },
    ...because(
      'It is another place, where a name is looked for and kept as well.',
      ['at + length - 1', 'at + length + 1'],
      ['at + length', 'at - length', 'const last'],
      ...placeChanges,
      ['this.#from + this.#at', 'this.#from - this.#at', 'placeOf'],
    ),
    ...because(
      'A string does not begin below place 2: its length stands before it.',
      ['-1', '+1'],
      ['at < 0', 'at <= 0'],
    ),
    ...because(
      'The name is cut out of the payload, which comes to the same, or it is kept although it is long.',
      ['length === 0 || length > MOST_KEPT || end >= this.#text.length', 'true'],
      ['length === 0 || length > MOST_KEPT', 'false'],
      ['length === 0 || length > MOST_KEPT', 'length === 0 && length > MOST_KEPT'],
      ...['false', 'length !== 0'].map((to) => ['length === 0', to]),
      ...['false', 'length >= MOST_KEPT', 'length <= MOST_KEPT'].map((to) => ['length > MOST_KEPT', to]),
      ['end >= this.#text.length', 'end < this.#text.length'],
      [
        'name.length === length && this.#bytes[this.#from + end] === 0 && this.#text.startsWith(name, this.#at)',
        'false',
      ],
      ['this.#text.startsWith(name, this.#at)', 'this.#text.endsWith(name, this.#at)'],
      ['{ this.#at = end + 1; return name; }', '{}'],
    ),
    ...because(
      'The place is looked for once more than it need be, and found again.',
      ...['cr', 'lf'].flatMap((name) => [
        [`this.#${name} < from`, 'true'],
        [`this.#${name} < from`, `this.#${name} <= from`],
      ]),
    ),
  ],
};
