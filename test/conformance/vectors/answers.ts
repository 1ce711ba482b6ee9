import { readRecords } from '@postern/testkit';

export type Framed = 'fastcgi' | 'scgi' | 'ajp' | 'uwsgi';

/** What a server wrote, read by hand. */
export interface Answers {
  /** One for each answer in the order of their ends: `200`; `200 cut`: no end marker; `END(3)`: an END_REQUEST alone. */
  readonly answers: string[];
  readonly bodies: string[];
  /** What belongs to no request, as hexadecimal: UNKNOWN_TYPE, GET_VALUES_RESULT, CPONG. */
  readonly others: string[];
  /** FastCGI: the id of each answer; AJP: the reuse flag of its END_RESPONSE. */
  readonly marks: number[];
}

/** @param complete SCGI and uwsgi: the connection ended, and was not reset @throws Error what was written breaks the protocol */
export function answersOf(protocol: Framed, output: Buffer, complete: boolean): Answers {
  if (output.toString('latin1', 0, 12) === 'HTTP/1.1 421') return { ...empty(), answers: ['421 HTTP'] };
  switch (protocol) {
    case 'fastcgi':
      return fastcgiAnswers(output);
    case 'ajp':
      return ajpAnswers(output);
    default:
      return textAnswers(output, complete, protocol === 'scgi' ? /^Status: (\d{3})/ : /^HTTP\/1\.[01] (\d{3})/);
  }
}

function empty(): Answers {
  return { answers: [], bodies: [], others: [], marks: [] };
}

function textAnswers(output: Buffer, complete: boolean, status: RegExp): Answers {
  if (output.length === 0) return empty();
  const text = output.toString('latin1');
  const found = status.exec(text)?.[1] ?? 'no status';
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  return { ...empty(), answers: [complete ? found : `${found} cut`], bodies: [body], marks: [0] };
}

function fastcgiAnswers(output: Buffer): Answers {
  const seen = empty();
  const open = new Map<number, { stdout: string; closed: boolean }>();
  // eight zero bytes at the very end break a transfer off on purpose
  const poisoned = output.length >= 8 && output.subarray(-8).every((byte) => byte === 0) && output.at(-8) === 0;
  const framed = poisoned && !endsInRecord(output) ? output.subarray(0, -8) : output;
  for (const { version, type, id, content, padding, reserved } of readRecords(framed)) {
    if (version !== 1 || reserved !== 0 || /[^\0]/.test(padding))
      throw new Error(`a record of type ${type} is not clean`);
    if (id === 0) seen.others.push(Buffer.from(`${String.fromCharCode(type)}${content}`, 'latin1').toString('hex'));
    else if (type === 6) {
      const one = open.get(id) ?? { stdout: '', closed: false };
      if (one.closed) throw new Error(`STDOUT of ${id} behind its end`);
      one.closed = content === '';
      one.stdout += content;
      open.set(id, one);
    } else if (type === 3) {
      const one = open.get(id);
      const code = content.charCodeAt(4);
      open.delete(id);
      seen.answers.push(one === undefined ? `END(${code})` : statusOf(one.stdout));
      seen.bodies.push(one?.stdout.slice(one.stdout.indexOf('\r\n\r\n') + 4) ?? '');
      seen.marks.push(id);
    } else if (type !== 7) throw new Error(`a record of type ${type} from a server`);
  }
  for (const [id, { stdout }] of open) {
    seen.answers.push(`${statusOf(stdout)} cut`);
    seen.bodies.push(stdout);
    seen.marks.push(id);
  }
  return seen;
}

function endsInRecord(output: Buffer): boolean {
  try {
    return readRecords(output).every(({ version }) => version === 1);
  } catch {
    return false;
  }
}

function statusOf(stdout: string): string {
  return /^Status: (\d{3})/.exec(stdout)?.[1] ?? 'no status';
}

function ajpAnswers(output: Buffer): Answers {
  const seen = empty();
  let status = '';
  let body = '';
  for (let at = 0; at < output.length; ) {
    const end = at + 4 + output.readUInt16BE(at + 2);
    if (output.toString('latin1', at, at + 2) !== 'AB' || end > output.length) throw new Error(`no packet at ${at}`);
    const type = output[at + 4];
    if (type === 4) {
      if (status !== '') throw new Error('SEND_HEADERS twice');
      status = String(output.readUInt16BE(at + 5));
    } else if (type === 3) body += output.toString('latin1', at + 7, at + 7 + output.readUInt16BE(at + 5));
    else if (type === 5) {
      seen.answers.push(status === '' ? 'END' : status);
      seen.bodies.push(body);
      seen.marks.push(output[at + 5]);
      status = '';
      body = '';
    } else if (type !== 6) seen.others.push(output.toString('hex', at, end));
    at = end;
  }
  if (status !== '') {
    seen.answers.push(`${status} cut`);
    seen.bodies.push(body);
    seen.marks.push(-1);
  }
  return seen;
}
