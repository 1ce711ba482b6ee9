/** Where the messages of some bytes begin: what is taken out, put twice, and swapped, as a whole. */

/** FastCGI: records. */
export function records(bytes: Uint8Array): number[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    starts.push(at);
    if (at + 8 > bytes.length) break;
    at += 8 + ((bytes[at + 4] << 8) | bytes[at + 5]) + bytes[at + 6];
  }
  return starts;
}

/** AJP: packets. */
export function packets(bytes: Uint8Array): number[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    starts.push(at);
    if (at + 4 > bytes.length) break;
    at += 4 + ((bytes[at + 2] << 8) | bytes[at + 3]);
  }
  return starts;
}

/** SCGI and replies in CGI's form: what NUL, LF, colon or comma ends. */
export function texts(bytes: Uint8Array): number[] {
  const starts = [0];
  for (let at = 0; at < bytes.length && starts.length < 500; at++) {
    const byte = bytes[at];
    if (byte === 0 || byte === 10 || byte === 58 || byte === 44) starts.push(at + 1);
  }
  return starts;
}

/** uwsgi: the head of the packet, names and values. */
export function items(bytes: Uint8Array): number[] {
  const starts = [0];
  for (let at = 4; at < bytes.length && starts.length < 500; ) {
    starts.push(at);
    at += 2 + (bytes[at] | ((bytes[at + 1] ?? 0) << 8));
  }
  return starts;
}

/** FastCGI: name-value pairs. */
export function pairs(bytes: Uint8Array): number[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length && starts.length < 500; ) {
    starts.push(at);
    let content = 0;
    for (let i = 0; i < 2; i++) {
      const first = bytes[at] ?? 0;
      content += first < 128 ? first : ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
      at += first < 128 ? 1 : 4;
    }
    at += content;
  }
  return starts;
}
