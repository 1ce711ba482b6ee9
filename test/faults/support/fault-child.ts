import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { afterEach, jest } from '@jest/globals';
import type { LogEntry } from '../../../packages/server/src/index.ts';
import { connectTo, type Peer } from '../../../packages/server/test/support/peer.ts';
import {
  type Child,
  type FiveReply,
  fiveProtocols,
  type OneOfFive,
  replyInFive,
  requestInFive,
  startChild,
  until,
} from '../../../packages/testkit/src/index.ts';

/** Its ports: of each protocol, and of all of them. */
export type Port = OneOfFive | 'auto';

export interface Growth {
  readonly rss: number;
  readonly external: number;
}

/** What the server says of itself. */
export interface State {
  /** How often the application was asked, how many requests run, and the most that ran at once. */
  readonly asked: number;
  readonly running: number;
  readonly mostRunning: number;
  /** Those among the running whose application works on although nobody waits for it. */
  readonly working: number;
  /** How often a request's signal fired, and reading or writing in the application was rejected. */
  readonly aborted: number;
  readonly rejected: number;
  /** Bytes that the application gave away. */
  readonly sent: number;
  readonly connections: number;
  /** Timers that are set, where time stands still. */
  readonly timers: number;
  /** The most memory that was seen since the latest `reset`, above what was taken then, in MiB. */
  readonly growth: Growth;
  readonly logs: LogEntry[];
  readonly errors: string[];
}

export interface FaultServer {
  readonly child: Child;
  /** A connection to one of its ports; it is closed behind the test. */
  connect(port: Port): Promise<Peer>;
  /** One request on a connection of its own, and its reply. */
  probe(protocol?: OneOfFive, path?: string): Promise<FiveReply>;
  state(): Promise<State>;
  /** Waits until it says what is right, and gives that. */
  when(right: (state: State) => boolean): Promise<State>;
  /** Its memory, with a look at it now. */
  grown(): Promise<Growth>;
  /** `/close`: the application closes its files; `/finish`: it finishes its work. */
  tell(path: '/close' | '/finish'): Promise<State>;
  /** Counts from now on. */
  reset(): Promise<State>;
  /** Lets time pass, where it stands still. */
  advance(ms: number): Promise<State>;
  /** Open descriptors of the process. */
  descriptors(): number;
  /** Processor time that the process has used, in seconds. */
  cpu(): number;
  stop(): Promise<void>;
}

export interface FaultOptions {
  readonly limits?: Record<string, number>;
  /** Its time stands still. */
  readonly standing?: boolean;
  /** It looks at its memory all the while, which takes time. */
  readonly watched?: boolean;
  /** Runs in front of it, in the same process: `ulimit -n 40`. */
  readonly shell?: string;
}

const peers = new Set<Peer>();

afterEach(() => {
  for (const { socket } of peers) socket.destroy();
  peers.clear();
});

const support = join(__dirname, '../../../packages/server/test/support');
const TICKS = 100;
/** For one step, in milliseconds: the machine may be busy with others. */
const PATIENCE = 60_000;

jest.setTimeout(2 * PATIENCE);

/** Starts it, and warms it up. It has to be stopped. */
export async function faultServer({ shell = ':', ...options }: FaultOptions = {}): Promise<FaultServer> {
  const program = [join(support, 'run-typescript.cjs'), join(__dirname, 'fault-server.ts'), JSON.stringify(options)];
  const args = ['-c', `${shell}; exec "$0" "$@"`, process.execPath, '--expose-gc', ...program];
  const child = startChild('/bin/sh', args);
  const [, said] = await child.said(/^listening (.*)$/m);
  const ports: Record<Port | 'control', number> = JSON.parse(said);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  const ask = (path: string): Promise<State> =>
    new Promise((resolve, reject) => {
      const call = request({ agent, host: '127.0.0.1', port: ports.control, path }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(JSON.parse(text)));
      });
      call.on('error', reject);
      call.end();
    });

  const server: FaultServer = {
    child,
    async connect(port) {
      const peer = await connectTo({ host: '127.0.0.1', port: ports[port] });
      peers.add(peer);
      return peer;
    },
    async probe(protocol = 'fastcgi', path = '/hello') {
      const peer = await server.connect(protocol);
      peer.write(requestInFive(protocol, path));
      const reply = await replyOf(peer, protocol);
      peer.socket.destroy();
      peers.delete(peer);
      return reply;
    },
    state: () => ask('/'),
    when: (right) => until(server.state, right, PATIENCE),
    grown: async () => (await ask('/grown')).growth,
    tell: ask,
    reset: () => ask('/reset'),
    advance: (ms) => ask(`/advance?ms=${ms}`),
    descriptors: () => readdirSync(`/proc/${child.process.pid}/fd`).length,
    cpu() {
      // utime and stime come behind the name, which is in brackets
      const fields = readFileSync(`/proc/${child.process.pid}/stat`, 'latin1')
        .replace(/^.*\) /, '')
        .split(' ');
      return (Number(fields[11]) + Number(fields[12])) / TICKS;
    },
    async stop() {
      agent.destroy();
      const { code } = await child.stop('SIGTERM');
      if (code !== 0) throw new Error(`the server ended with ${code}:\n${child.output()}`);
    },
  };
  for (let i = 0; i < 20; i++) for (const protocol of fiveProtocols) await server.probe(protocol);
  await server.reset();
  return server;
}

/** The whole reply. @throws Error the connection ended before */
export async function replyOf(peer: Peer, protocol: OneOfFive): Promise<FiveReply> {
  const gone = (): boolean => peer.ended || peer.closed || peer.error !== undefined;
  const complete = (): FiveReply | undefined => replyInFive(protocol, peer.bytes, peer.ended);
  await peer.when(() => gone() || complete() !== undefined, PATIENCE);
  const reply = complete();
  if (reply === undefined)
    throw new Error(`no reply over ${protocol}: ${peer.error ?? 'closed'}, ${peer.text.slice(0, 200)}`);
  return reply;
}
