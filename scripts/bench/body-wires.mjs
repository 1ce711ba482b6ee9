import * as ajp from './wires/ajp.mjs';
import * as fastcgi from './wires/fastcgi.mjs';
import * as http from './wires/http.mjs';

/**
 * A MiB on its way, piece by piece, as web servers send and take it. Of each wire:
 *
 *   question(scenario, port)   the bytes that are sent at once
 *   Answer                     takes what comes: `take(chunk, bodyPart, send)` calls `bodyPart` for each piece of the body
 *                              in its order, and says true at the end of the reply
 */

/** nginx's STDIN records; their content is a multiple of eight, so that they have no padding. */
const STDIN_CONTENT = 32_768;
/** Body bytes of a packet of 64 KiB, as mod_proxy_ajp sends them whatever it is asked for. */
const AJP_CONTENT = 65_530;

function fastcgiQuestion({ method, target, headers, body }, port) {
  const head = fastcgi.encode({ method, target, body: '' }, headers, port, true);
  if (body.length === 0) return head;
  const records = [head.subarray(0, head.length - 8)];
  for (let at = 0; at < body.length; at += STDIN_CONTENT) {
    const content = body.subarray(at, at + STDIN_CONTENT);
    const padding = -content.length & 7;
    records.push(Buffer.from([1, 5, 0, 1, content.length >> 8, content.length & 255, padding, 0]), content);
    records.push(Buffer.alloc(padding));
  }
  records.push(head.subarray(head.length - 8));
  return Buffer.concat(records);
}

function httpQuestion({ method, target, headers, body }, port) {
  return Buffer.concat([http.encode({ method, target, body: '' }, headers, port, true), body]);
}

function ajpQuestion({ method, target, headers, body }, port) {
  const head = ajp.encode({ method, target, body: '' }, headers, port);
  return body.length === 0 ? head : Buffer.concat([head, ajpBody(body, 0)]);
}

function ajpBody(body, at) {
  const piece = body.subarray(at, at + AJP_CONTENT);
  const bytes = Buffer.allocUnsafe(6 + piece.length);
  bytes.writeUInt16BE(0x1234, 0);
  bytes.writeUInt16BE(2 + piece.length, 2);
  bytes.writeUInt16BE(piece.length, 4);
  bytes.set(piece, 6);
  return bytes;
}

/** Frames with a header of fixed size and a content that is handed on as it comes. */
class Frames {
  #header;
  #filled = 0;
  #content = 0;
  #skip = 0;

  constructor(headerSize) {
    this.#header = Buffer.alloc(headerSize);
  }

  /** Calls `opened(header)` → { content, skip } for each header, and `piece` for what of a content has come. */
  take(chunk, opened, piece) {
    for (let at = 0; at < chunk.length; ) {
      if (this.#content > 0) {
        const part = chunk.subarray(at, at + this.#content);
        this.#content -= part.length;
        at += part.length;
        piece(part);
      } else if (this.#skip > 0) {
        const count = Math.min(this.#skip, chunk.length - at);
        this.#skip -= count;
        at += count;
      } else {
        this.#header[this.#filled++] = chunk[at++];
        if (this.#filled < this.#header.length) continue;
        this.#filled = 0;
        ({ content: this.#content, skip: this.#skip } = opened(this.#header));
      }
    }
  }

  /** Nothing of a frame is left. */
  get between() {
    return this.#filled === 0 && this.#content === 0 && this.#skip === 0;
  }
}

/** The head of a reply in front of its body, where both are one stream of bytes. */
class HeadFirst {
  #head = '';
  done = false;

  take(part, bodyPart) {
    if (this.done) bodyPart(part);
    else {
      this.#head += part.latin1Slice(0, part.length);
      const blank = this.#head.indexOf('\r\n\r\n');
      if (blank < 0) return;
      if (!/^(?:HTTP\/1\.1|Status:) 200/.test(this.#head))
        throw new Error(`a wrong reply: ${this.#head.slice(0, 200)}`);
      this.done = true;
      const body = part.length - (this.#head.length - blank - 4);
      this.length = Number(/\r\ncontent-length: *([0-9]+)\r\n/i.exec(this.#head)?.[1]);
      if (body < part.length) bodyPart(part.subarray(body));
    }
  }
}

class FastcgiAnswer {
  #frames = new Frames(8);
  #head = new HeadFirst();
  #ending = false;

  take(chunk, bodyPart) {
    this.#frames.take(
      chunk,
      (header) => {
        const type = header[1];
        if (type === 3) this.#ending = true;
        else if (type !== 6) throw new Error(`a record of type ${type}`);
        const length = header.readUInt16BE(4);
        return type === 6 ? { content: length, skip: header[6] } : { content: 0, skip: length + header[6] };
      },
      (part) => this.#head.take(part, bodyPart),
    );
    return this.#ending && this.#frames.between;
  }
}

class HttpAnswer {
  #head = new HeadFirst();
  #received = 0;

  take(chunk, bodyPart) {
    this.#head.take(chunk, (part) => {
      this.#received += part.length;
      bodyPart(part);
    });
    return this.#head.done && this.#received === this.#head.length;
  }
}

class AjpAnswer {
  #frames = new Frames(5);
  #body;
  #sent = AJP_CONTENT;
  #type = 0;
  /** Bytes of the open packet that stand before its body bytes. */
  #before = 0;
  #status = '';

  constructor({ body }) {
    this.#body = body;
  }

  take(chunk, bodyPart, send) {
    this.#frames.take(
      chunk,
      (header) => this.#open(header[4], header.readUInt16BE(2) - 1, send),
      (part) => this.#piece(part, bodyPart),
    );
    if (this.#type !== 5 || !this.#frames.between) return false;
    if (!this.#status.startsWith('\0\xc8')) throw new Error('a wrong reply: its status is not 200');
    return true;
  }

  #open(type, left, send) {
    this.#type = type;
    this.#before = 2;
    if (type === 3) return { content: left - 1, skip: 1 };
    if (type === 4) return { content: left, skip: 0 };
    if (type !== 5 && type !== 6) throw new Error(`a packet of type ${type}`);
    if (type === 6) {
      send(ajpBody(this.#body, this.#sent));
      this.#sent += AJP_CONTENT;
    }
    return { content: 0, skip: left };
  }

  #piece(part, bodyPart) {
    if (this.#type === 4) this.#status += part.latin1Slice(0, part.length);
    else {
      const from = Math.min(this.#before, part.length);
      this.#before -= from;
      if (from < part.length) bodyPart(part.subarray(from));
    }
  }
}

export const bodyWires = {
  fastcgi: { question: fastcgiQuestion, Answer: FastcgiAnswer },
  http: { question: httpQuestion, Answer: HttpAnswer },
  ajp: { question: ajpQuestion, Answer: AjpAnswer },
};
