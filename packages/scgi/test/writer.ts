/** A header block: name NUL value NUL for each pair of a flat list. */
export function block(...flat: string[]): string {
  return flat.map((text) => `${text}\0`).join('');
}

export function netstring(content: string): string {
  return `${content.length}:${content},`;
}

export function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** The example of the SCGI document, without its body of 27 bytes. */
export const DEEP_THOUGHT = netstring(
  block('CONTENT_LENGTH', '27', 'SCGI', '1', 'REQUEST_METHOD', 'POST', 'REQUEST_URI', '/deepthought'),
);
export const QUESTION = 'What is the answer to life?';

export const GET = netstring(block('CONTENT_LENGTH', '0', 'SCGI', '1', 'REQUEST_METHOD', 'GET', 'REQUEST_URI', '/'));
