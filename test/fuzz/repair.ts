/**
 * Makes the outer lengths of mutated bytes right again, so that what lies inside is read: half of the mutants would not
 * come past their first length without it.
 */

/** SCGI: the netstring ends at the last comma. */
export function netstring(bytes: Buffer): Buffer {
  const colon = bytes.indexOf(':');
  const comma = bytes.lastIndexOf(',');
  if (colon < 0 || comma < colon) return bytes;
  return Buffer.concat([Buffer.from(String(comma - colon - 1)), bytes.subarray(colon)]);
}

/** uwsgi: all that stands behind the head is its block. */
export function block(bytes: Buffer): Buffer {
  if (bytes.length < 4) return bytes;
  const copy = Buffer.from(bytes);
  copy.writeUInt16LE(Math.min(bytes.length - 4, 65_535), 1);
  return copy;
}

/** AJP: each packet ends where another begins. */
export function packets(bytes: Buffer): Buffer {
  if (bytes.length < 4) return bytes;
  const copy = Buffer.from(bytes);
  const magic = bytes.subarray(0, 2);
  for (let at = 0; at >= 0 && at + 4 <= bytes.length; ) {
    const next = bytes.indexOf(magic, at + 4);
    copy.writeUInt16BE(Math.min((next < 0 ? bytes.length : next) - at - 4, 65_535), at + 2);
    at = next;
  }
  return copy;
}

/** FastCGI: each record ends where another begins, as far as that can be seen: version 1, a type, and an id below 256. */
export function records(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let at = 0; at + 8 <= copy.length; ) {
    let next = at + 8;
    while (next < copy.length && !isHeader(copy, next)) next++;
    const padding = Math.min(copy[at + 6], next - at - 8);
    copy[at + 6] = padding;
    copy.writeUInt16BE(Math.min(next - at - 8 - padding, 65_535), at + 4);
    at = next;
  }
  return copy;
}

function isHeader(bytes: Buffer, at: number): boolean {
  return bytes[at] === 1 && bytes[at + 1] > 0 && bytes[at + 1] <= 11 && bytes[at + 2] === 0 && at + 8 <= bytes.length;
}
