/** uwsgi packets made by hand: they share nothing with the codec, so that a mistake there is not a mistake here. */

export function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function size(length: number): Buffer {
  return Buffer.of(length & 255, length >> 8);
}

export function item(text: string): Buffer {
  return Buffer.concat([size(text.length), bytes(text)]);
}

/** A block of variables, of a flat list. */
export function block(...flat: string[]): Buffer {
  return Buffer.concat(flat.map(item));
}

/** `length` as it is told, which may be another than it is. */
export function packet(content: Buffer, { modifier1 = 0, modifier2 = 0, length = content.length } = {}): Buffer {
  return Buffer.concat([Buffer.of(modifier1), size(length), Buffer.of(modifier2), content]);
}

/** The variables of a plain GET of "/", with others behind them. */
export function get(...more: string[]): Buffer {
  return packet(block('REQUEST_METHOD', 'GET', 'REQUEST_URI', '/', ...more));
}

export function post(body: string, ...more: string[]): Buffer {
  const head = block('REQUEST_METHOD', 'POST', 'REQUEST_URI', '/p', 'CONTENT_LENGTH', String(body.length), ...more);
  return Buffer.concat([packet(head), bytes(body)]);
}

/** GET / with an empty CONTENT_LENGTH, as nginx sends it. */
export const BASELINE = Buffer.from(
  '006000000e00524551554553545f4d4554484f4403004745540b00524551554553545f55524901002f0900504154485f494e464f' +
    '01002f0f005345525645525f50524f544f434f4c0800485454502f312e310e00434f4e54454e545f4c454e4754480000',
  'hex',
);
