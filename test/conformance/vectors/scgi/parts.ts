import type { Exchange } from '@postern/core';

// What the inputs of SCGI are made of.

export type Pairs = readonly (readonly [string, string])[];

export function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** A header block as text. */
export function block(pairs: Pairs): string {
  return pairs.map(([name, value]) => `${name}\0${value}\0`).join('');
}

export function netstring(content: string): string {
  return `${content.length}:${content},`;
}

/** A request of these variables alone. */
export function withPairs(pairs: Pairs, body = ''): Buffer {
  return latin1(netstring(block(pairs)) + body);
}

/** A whole GET, or a POST where there is a body, with more variables behind the others. */
export function withVariables(more: Pairs, body = '', length = body.length): Buffer {
  const method = body === '' ? 'GET' : 'POST';
  const plain: Pairs = [
    ['CONTENT_LENGTH', String(length)],
    ['SCGI', '1'],
    ['REQUEST_METHOD', method],
    ['REQUEST_URI', '/'],
  ];
  return withPairs([...plain, ...more], body);
}

export const get = withVariables([]);

/** The example of the SCGI document, without its body. */
export const deepThought = block([
  ['CONTENT_LENGTH', '27'],
  ['SCGI', '1'],
  ['REQUEST_METHOD', 'POST'],
  ['REQUEST_URI', '/deepthought'],
]);
export const question = 'What is the answer to life?';

/** What is no whole number of bytes. */
export const badLengths: readonly string[] = [
  ...['-1', '+5', '5 ', ' 5', '0x10', '1e3', '5,5', '5;', '5.0', '1_000', '9007199254740993'],
  ...['99999999999999999999', '\xef\xbc\x95'],
];

/** What can be printed of a text, for a title. */
export function shown(text: string): string {
  return JSON.stringify(text).replaceAll(/[^ -~]/g, (one) => `\\x${one.charCodeAt(0).toString(16)}`);
}

/** One input for each of these texts. */
export function each(texts: readonly string[], input: (text: string) => Buffer): Record<string, Buffer> {
  return Object.fromEntries(texts.map((text) => [shown(text), input(text)]));
}

/** A name for each place. */
export function numbered(count: number): Pairs {
  return Array.from({ length: count }, (_, i) => [`N${i}`, ''] as const);
}

/** An application that answers some turns later: behind a FIN that came with the request. */
export function late(exchange: Exchange): void {
  let turns = 5;
  const wait = (): void => {
    if (--turns > 0) setImmediate(wait);
    else if (!exchange.over) exchange.respond(200, 'OK', ['Content-Type', 'text/plain'], 'late');
  };
  wait();
}
