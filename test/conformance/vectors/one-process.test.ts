import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  fiveProtocols,
  type OneOfFive,
  portOf,
  replyInFive,
  requestInFive,
  type Served,
  servePostern,
  until,
} from '@postern/testkit';
import { ajpVectors } from './ajp.ts';
import { answersOf, type Framed } from './answers.ts';
import { fastcgiVectors } from './fastcgi.ts';
import { httpVectors } from './http/rows.ts';
import { descriptorsOf, residentOf } from './one-process/memory.ts';
import { inputsOf } from './run-vectors.ts';
import { scgiVectors } from './scgi.ts';
import { uwsgiVectors } from './uwsgi.ts';
import type { Vector } from './vector.ts';

const MOST_GROWTH = 32;
const framed: Readonly<Record<Framed, readonly Vector[]>> = {
  fastcgi: fastcgiVectors,
  scgi: scgiVectors,
  ajp: ajpVectors,
  uwsgi: uwsgiVectors,
};

/** What one connection is given. */
interface Given {
  readonly title: string;
  readonly protocol: OneOfFive;
  readonly bytes: Uint8Array;
  readonly fin: boolean;
  /** Undefined: it belongs to other limits or another application, and is survived alone. */
  readonly answers?: readonly string[];
  /** The connection stays open behind the answers. */
  readonly stays: boolean;
}

let served: Served;
const ports = new Map<OneOfFive, number>();

beforeAll(async () => {
  const listen = fiveProtocols.map((protocol) => `${protocol}://127.0.0.1:0`);
  served = await servePostern('test/conformance/vectors/one-process/echo.mjs', listen);
  for (const protocol of fiveProtocols)
    ports.set(protocol, portOf(served.addresses.find((address) => address.startsWith(`${protocol}:`)) ?? ''));
});

afterAll(() => served?.child.stop());

function givenOf(protocol: Framed): Given[] {
  return framed[protocol].flatMap((vector) =>
    inputsOf(vector).map(([name, bytes]) => ({
      title: `${vector.row} ${name}`,
      protocol,
      bytes,
      fin: vector.fin === true,
      stays: vector.want.closed === 'open',
      ...(isOfDefaults(vector) ? { answers: vector.want.answers } : {}),
    })),
  );
}

function isOfDefaults({ limits, peer, app, pass, later, reset }: Vector): boolean {
  return [limits, peer, app, pass, later, reset].every((one) => one === undefined);
}

function givenOfHttp(): Given[] {
  return httpVectors.flatMap(({ row, input, answers, ends, limits, pass, pace }) =>
    Object.entries(typeof input === 'string' ? { '': input } : input).map(([name, text]) => ({
      title: `${row} ${name}`,
      protocol: 'http' as const,
      bytes: Buffer.from(text, 'latin1'),
      fin: false,
      stays: !ends,
      ...(limits === undefined && pass === undefined && pace === undefined ? { answers: answers.map(String) } : {}),
    })),
  );
}

/** One connection: all of the input, what is answered to it, and the end. */
async function give({ protocol, bytes, fin, answers, stays }: Given): Promise<readonly string[]> {
  const socket = connect({ port: ports.get(protocol) as number, host: '127.0.0.1', allowHalfOpen: true });
  const received: Buffer[] = [];
  let over = false;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {
    over = true;
  });
  socket.on('end', () => {
    over = true;
  });
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  const seen = (): readonly string[] => answersIn(protocol, Buffer.concat(received), over && !socket.destroyed);
  socket.write(bytes);
  if (fin || answers === undefined) socket.end();
  await until(
    () => over || socket.destroyed || (stays && answers !== undefined && hasAll(seen, answers)),
    Boolean,
    9000,
  );
  const found = seen();
  socket.end();
  // what was not read is not waited for
  socket.resume();
  await closed;
  return found;
}

function hasAll(seen: () => readonly string[], answers: readonly string[]): boolean {
  try {
    return seen().length >= answers.length;
  } catch {
    // in the middle of one
    return false;
  }
}

function answersIn(protocol: OneOfFive, output: Buffer, complete: boolean): readonly string[] {
  if (protocol !== 'http') return answersOf(protocol, output, complete).answers;
  return [...output.toString('latin1').matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map((match) => match[1]);
}

async function ask(protocol: OneOfFive, body: string): Promise<void> {
  const socket: Socket = connect(ports.get(protocol) as number, '127.0.0.1');
  const received: Buffer[] = [];
  let ended = false;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  socket.on('end', () => {
    ended = true;
  });
  socket.write(requestInFive(protocol, '/', body));
  const reply = await until(() => replyInFive(protocol, Buffer.concat(received), ended), Boolean, 9000);
  expect(reply).toEqual({ status: 200, body });
  socket.end();
  await closed;
}

describe('one process', () => {
  it('survives every vector of every protocol, and is what it was before', async () => {
    const { child } = served;
    const pid = child.process.pid as number;
    const descriptors = descriptorsOf(pid);
    // what a process takes once it is at work
    for (let i = 0; i < 400; i++) await Promise.all(fiveProtocols.map((protocol) => ask(protocol, `${i}`)));
    const said = child.output().length;
    const before = residentOf(pid);
    let most = before;
    const watching = setInterval(() => {
      most = Math.max(most, residentOf(pid));
    }, 10);
    const all = [...(Object.keys(framed) as Framed[]).flatMap(givenOf), ...givenOfHttp()];
    try {
      for (const given of all) {
        const found = await give(given);
        const { title, protocol, answers } = given;
        if (answers !== undefined)
          expect({ protocol, title, answers: [...found].sort() }).toEqual({
            protocol,
            title,
            answers: [...answers].sort(),
          });
      }
    } finally {
      clearInterval(watching);
    }
    for (const protocol of fiveProtocols) await ask(protocol, 'once more');
    await until(
      () => descriptorsOf(pid),
      (count) => count === descriptors,
    );
    expect(most - before).toBeLessThan(MOST_GROWTH);
    expect(child.process.exitCode).toBeNull();
    const lines = child.output().slice(said).split('\n');
    expect(lines.pop()).toBe('');
    for (const line of lines) expect(line).toMatch(/^(?:warn|error) event=[^\x00-\x1f\x7f-\x9f]+$/);
  }, 120_000);
});
