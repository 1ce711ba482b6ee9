import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ajp } from '../../packages/ajp/src/index.ts';
import { ping, request } from '../../packages/client/src/index.ts';
import { type AnswerEvent, type AskEvent, limitsWith } from '../../packages/core/src/index.ts';
import { type BackEnd, repository, startTomcat } from '../../packages/testkit/src/index.ts';
import { ask, itAnswersAsAsked, type Peer, pattern, variablesFor } from './peer-scenarios.ts';

let tomcat: BackEnd<number[]>;
beforeAll(async () => {
  tomcat = await startTomcat(`${repository}/test/fixtures/peers/Peer.java`, [
    'packetSize="8192" secretRequired="false"',
    'packetSize="65536" secretRequired="false" tomcatAuthentication="false"',
    'packetSize="8192" secret="open sesame"',
  ]);
});
afterAll(async () => {
  console.log(tomcat.child.output().replace(/[^]*Server startup/, ''));
  await tomcat.stop();
});

class Kept {
  socket: Socket;
  conn = ajp.client(limitsWith());
  waiting: any;
  events: any[] = [];
  log: string[] = [];
  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (d) => {
      this.log.push('< ' + d.length + ' ' + d.subarray(0, 12).toString('hex'));
      this.conn.receive(d);
      this.pump();
    });
    this.socket.on('end', () => {
      this.log.push('< FIN');
      this.conn.receiveEnd();
      this.pump();
    });
    this.socket.on('error', (e) => {
      this.log.push('error ' + e.message);
      this.waiting?.reject(e);
    });
    this.socket.on('close', () => {
      this.log.push('close');
      this.waiting?.reject(new Error('closed'));
    });
  }
  pump() {
    try {
      let e: any;
      while ((e = this.conn.next()) !== undefined) {
        this.events.push(e);
        if (e.type === 'data') this.conn.pull(1);
        if (e.type === 'end' || e.type === 'pong') {
          const w = this.waiting;
          this.waiting = undefined;
          w.resolve(this.events.splice(0));
        }
      }
    } catch (e) {
      this.waiting?.reject(e);
    }
    this.flush();
  }
  flush() {
    let o: any;
    while ((o = this.conn.takeOutput(65536)) !== undefined) {
      for (const p of typeof o === 'string' ? [Buffer.from(o, 'latin1')] : Array.isArray(o) ? o : [o]) {
        this.log.push('> ' + p.length + ' ' + Buffer.from(p).subarray(0, 12).toString('hex'));
        this.socket.write(p);
      }
    }
  }
  do(events: any[]) {
    return new Promise<any[]>((resolve, reject) => {
      this.waiting = { resolve, reject };
      for (const e of events) this.conn.send(e);
      this.flush();
    });
  }
}
const head = (w: any) => ({ type: 'request', id: 1, variables: variablesFor(w), keep: true });

it.each([1000, 9000, 20000, 32000, 33000, 60000])('field %i', async (n) => {
  const k = new Kept(tomcat.ports[1]);
  k.conn = ajp.client(limitsWith(), { packetSize: 65536 });
  const v = variablesFor({ target: '/field?bytes=' + n });
  const r = await Promise.race([
    k
      .do([
        { type: 'request', id: 1, variables: v, keep: true },
        { type: 'end', id: 1 },
      ])
      .catch((e) => e),
    new Promise((r) => setTimeout(() => r('HANG'), 1500)),
  ]);
  console.log(n, Array.isArray(r) ? r.map((e: any) => JSON.stringify(e).slice(0, 100)) : r, k.log);
  k.socket.destroy();
});
