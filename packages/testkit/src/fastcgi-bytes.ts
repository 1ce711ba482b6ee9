/**
 * FastCGI 1.0 records made and read by hand, for tests. It shares nothing with the codec, so that a mistake there is not
 * a mistake here.
 */

type Bytes = Uint8Array | string;

function bytesOf(bytes: Bytes): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes);
}

/** Bytes from hexadecimal text with any spaces. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s+/g, ''), 'hex');
}

export interface RecordExtras {
  readonly padding?: number;
  /** The byte that padding is made of. */
  readonly fill?: number;
  readonly reserved?: number;
  readonly version?: number;
}

/** §3.3 */
export function record(type: number, id: number, content: Bytes = '', extras: RecordExtras = {}): Buffer {
  const { padding = 0, fill = 0, reserved = 0, version = 1 } = extras;
  const body = bytesOf(content);
  const header = [version, type, id >> 8, id & 255, body.length >> 8, body.length & 255, padding, reserved];
  return Buffer.concat([Buffer.from(header), body, Buffer.alloc(padding, fill)]);
}

/** §5.1 */
export function begin(id = 1, flags = 0, role = 1, extras: RecordExtras = {}): Buffer {
  return record(1, id, Uint8Array.of(role >> 8, role & 255, flags, 0, 0, 0, 0, 0), extras);
}

export function abort(id = 1, content: Bytes = ''): Buffer {
  return record(2, id, content);
}

/** One record of PARAMS; without content the end of the stream. */
export function params(content: Bytes = '', id = 1, extras: RecordExtras = {}): Buffer {
  return record(4, id, content, extras);
}

/** One record of STDIN; without content the end of the stream. */
export function stdin(content: Bytes = '', id = 1, extras: RecordExtras = {}): Buffer {
  return record(5, id, content, extras);
}

/** §3.4. `long` takes the form of four bytes also for what fits one. */
export function pair(name: Bytes, value: Bytes, long = false): Buffer {
  const parts = [bytesOf(name), bytesOf(value)];
  const lengths = parts.map(({ length }) => {
    if (length < 128 && !long) return Buffer.of(length);
    return Buffer.of((length >>> 24) | 0x80, (length >>> 16) & 255, (length >>> 8) & 255, length & 255);
  });
  return Buffer.concat([...lengths, ...parts]);
}

export type Variables = Record<string, string> | readonly (readonly [string, string])[];

export function pairs(variables: Variables): Buffer {
  const list = Array.isArray(variables) ? variables : Object.entries(variables);
  return Buffer.concat(list.map(([name, value]) => pair(name, value)));
}

/** The variables of a plain GET of "/". */
export const plainGet: Readonly<Record<string, string>> = {
  REQUEST_METHOD: 'GET',
  REQUEST_URI: '/',
  SCRIPT_NAME: '',
  PATH_INFO: '/',
  SERVER_PROTOCOL: 'HTTP/1.1',
  SERVER_NAME: 'a',
  SERVER_PORT: '80',
};

/** A whole request: BEGIN, PARAMS, its end, STDIN, its end. */
export function request(
  variables: Variables = plainGet,
  options: { id?: number; flags?: number; body?: Bytes } = {},
): Buffer {
  const { id = 1, flags = 0, body = '' } = options;
  return Buffer.concat([
    begin(id, flags),
    params(pairs(variables), id),
    params('', id),
    ...(body.length > 0 ? [stdin(body, id)] : []),
    stdin('', id),
  ]);
}

export interface ReadRecord {
  readonly version: number;
  readonly type: number;
  readonly id: number;
  /** Bytes as latin-1. */
  readonly content: string;
  readonly padding: string;
  readonly reserved: number;
}

/** The records of bytes that end where a record ends. @throws Error they do not */
export function readRecords(bytes: Bytes): ReadRecord[] {
  const input = bytesOf(bytes);
  const records: ReadRecord[] = [];
  for (let at = 0; at < input.length; ) {
    const [version, type] = input.subarray(at);
    const length = input.readUInt16BE(at + 4);
    const end = at + 8 + length + input[at + 6];
    if (end > input.length) throw new Error(`a record at ${at} ends at ${end}, behind ${input.length}`);
    records.push({
      version,
      type,
      id: input.readUInt16BE(at + 2),
      content: input.toString('latin1', at + 8, at + 8 + length),
      padding: input.toString('latin1', at + 8 + length, end),
      reserved: input[at + 7],
    });
    at = end;
  }
  return records;
}

export interface ReadReply {
  readonly id: number;
  stdout: string;
  stderr: string;
  /** An empty STDOUT has closed the stream. */
  closed: boolean;
  /** The content of END_REQUEST in hexadecimal; undefined: it has not come. */
  end: string | undefined;
}

/**
 * The replies in a server's output, in the order in which they began, and under `others` whatever belongs to none. What
 * comes behind an END_REQUEST begins a reply of its own.
 * @throws Error STDOUT behind the empty record that closes it
 */
export function readReplies(bytes: Bytes): { replies: ReadReply[]; others: ReadRecord[] } {
  const replies: ReadReply[] = [];
  const open = new Map<number, ReadReply>();
  const others: ReadRecord[] = [];
  for (const one of readRecords(bytes)) {
    const { id, type, content } = one;
    if (id === 0 || (type !== 3 && type !== 6 && type !== 7)) {
      others.push(one);
      continue;
    }
    let reply = open.get(id);
    if (reply === undefined) {
      reply = { id, stdout: '', stderr: '', closed: false, end: undefined };
      replies.push(reply);
      open.set(id, reply);
    }
    if (type === 3) {
      reply.end = Buffer.from(content, 'latin1').toString('hex');
      open.delete(id);
    } else if (type === 7) reply.stderr += content;
    else if (reply.closed) throw new Error(`STDOUT behind its end, id ${id}`);
    else {
      reply.stdout += content;
      reply.closed = content === '';
    }
  }
  return { replies, others };
}
