import { createHash } from 'node:crypto';

/** The same two applications in both styles: one hashes what it is sent, the other sends a MiB in chunks. */

export const SIZE = 1_048_576;
const CHUNK = 65_536;

/** Byte for byte what the reply must be: each chunk differs from the others. */
export const content = Buffer.alloc(SIZE);
for (let at = 0; at < SIZE; at += 4) content.writeUInt32LE(Math.imul(at + 1, 2_654_435_761) >>> 0, at);

const chunks = Array.from({ length: SIZE / CHUNK }, (_, i) => content.subarray(i * CHUNK, (i + 1) * CHUNK));

/** What an upload must be answered: its length and its hash. */
export function received(length, hash) {
  return `${String(length).padStart(8)} ${hash.digest('hex')}`;
}

function replyOf(text) {
  return { 'content-type': 'text/plain', 'content-length': String(text.length) };
}

const wholeHead = { 'content-type': 'application/octet-stream', 'content-length': String(SIZE) };

// environ: (environ) => reply

export async function environUpload(environ) {
  const hash = createHash('sha256');
  let length = 0;
  for await (const piece of environ['gateway.input']) {
    hash.update(piece);
    length += piece.length;
  }
  const body = received(length, hash);
  return { status: 200, headers: replyOf(body), body };
}

export function environReply() {
  return { status: 200, headers: wholeHead, body: chunks };
}

// node: (req, res)

export function nodeUpload(req, res) {
  const hash = createHash('sha256');
  let length = 0;
  req.on('data', (piece) => {
    hash.update(piece);
    length += piece.length;
  });
  req.on('end', () => {
    const body = received(length, hash);
    res.writeHead(200, replyOf(body));
    res.end(body);
  });
}

export function nodeReply(_req, res) {
  res.writeHead(200, wholeHead);
  let next = 0;
  const more = () => {
    while (next < chunks.length) if (!res.write(chunks[next++])) return;
    res.end();
  };
  res.on('drain', more);
  more();
}
