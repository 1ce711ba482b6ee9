/** So many tries at most. */
const TRIES = 3000;

/**
 * A smaller input that fails in the same way: pieces are taken out, large ones first, then bytes are made plain.
 * @param head bytes at the beginning that stay where they are
 * @param fails whether an input still does
 */
export function minimise(input, head, fails) {
  let best = input;
  let tries = 0;
  const accept = (candidate) => {
    if (tries++ >= TRIES || !fails(candidate)) return false;
    best = candidate;
    return true;
  };
  for (let size = Math.ceil((best.length - head) / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = best.length - size; at >= head; at -= size)
      accept(Buffer.concat([best.subarray(0, at), best.subarray(at + size)]));
  }
  for (let at = 0; at < best.length; at++) {
    if (best[at] === 0) continue;
    for (const byte of [0, 0x61]) if (best[at] !== byte && accept(withByte(best, at, byte))) break;
  }
  return best;
}

function withByte(bytes, at, byte) {
  const copy = Buffer.from(bytes);
  copy[at] = byte;
  return copy;
}
