import { connect } from 'node:net';

/** One answer on a connection of a client. */
export interface Answer {
  /** 0: it has no head, as HTTP/0.9 has none. */
  readonly status: number;
  readonly body: string;
}

/**
 * Sends bytes as they are, and gives all the answers until the web server closes.
 * @param late sent when the web server has said 100 Continue
 */
export function exchange(port: number, bytes: string, late?: string): Promise<Answer[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    let held = late;
    // a web server closes by itself within a few seconds
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the web server keeps the connection: ${text.slice(0, 500)}`));
    }, 20_000);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (held === undefined || !text.startsWith('HTTP/1.1 100 ')) return;
      socket.write(Buffer.from(held, 'latin1'));
      held = undefined;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      try {
        resolve(answersIn(text));
      } catch (error) {
        reject(error);
      }
    });
    socket.write(Buffer.from(bytes, 'latin1'));
  });
}

/** @throws Error: what came is no HTTP */
export function answersIn(text: string): Answer[] {
  const answers: Answer[] = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(rest)?.[1];
    if (status === undefined || end < 0) {
      answers.push({ status: 0, body: rest });
      break;
    }
    const head = rest.slice(0, end);
    const behind = rest.slice(end + 4);
    const [body, left] =
      Number(status) < 200 || status === '204' || status === '304' ? ['', behind] : cut(head, behind);
    // "100 Continue" is no answer
    if (Number(status) >= 200 || status === '101') answers.push({ status: Number(status), body });
    rest = left;
  }
  return answers;
}

/** The body that this head frames, and what comes behind it. */
function cut(head: string, text: string): [body: string, rest: string] {
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  if (length !== undefined) return [text.slice(0, Number(length)), text.slice(Number(length))];
  if (!/^transfer-encoding: chunked/im.test(head)) return [text, ''];
  let body = '';
  let rest = text;
  for (;;) {
    const line = /^([0-9a-f]+)\r\n/i.exec(rest);
    if (line === null) throw new Error(`no chunk: ${JSON.stringify(rest.slice(0, 80))}`);
    const size = Number.parseInt(line[1], 16);
    const from = line[0].length;
    body += rest.slice(from, from + size);
    rest = rest.slice(from + size + 2);
    if (size === 0) return [body, rest];
  }
}
