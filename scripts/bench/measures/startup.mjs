import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onServerCore } from '../cores.mjs';
import { pairedRounds } from '../rounds.mjs';
import { CONSTANT } from '../scenarios.mjs';
import { wires } from '../wires.mjs';

const ROUNDS = 15;
/** Longer than any start takes, in milliseconds. */
const PATIENCE = 10_000;

function fileOf(name) {
  return fileURLToPath(new URL(name, import.meta.url));
}

const command = fileOf('../../../packages/postern/bin/postern.js');
const app = fileOf('../servers/startup-app.mjs');
const bare = fileOf('../servers/startup-http.mjs');

const scenario = { method: 'GET', target: '/', body: '' };
const headers = [['Host', 'www.example.org']];

/** The time from the start of a process to the first connection that it takes. */
export async function measure(_row, { rounds, seconds }, context) {
  let started = 0;
  const next = () => join(context.folder, `startup${started++}`);
  const ours = (path = next()) =>
    start([command, 'serve', app, '--listen', `fastcgi+unix:${path}`], 'fastcgi', path, context);
  const nodes = (path = next()) => start([bare, path], 'http', path, context);
  // the files of both are in memory from then on
  await ours();
  await nodes();
  const samples = await pairedRounds(ours, nodes, { rounds: Math.max(rounds, ROUNDS), seconds });
  return { samples, unit: 'ms' };
}

async function start(args, wire, path, { running }) {
  const begin = performance.now();
  const child = spawn(...onServerCore(process.execPath, args), { stdio: ['ignore', 'ignore', 'pipe'] });
  const program = { end: () => child.kill() };
  running.add(program);
  const exited = once(child, 'exit');
  let words = '';
  child.stderr.on('data', (text) => {
    words += text;
  });
  try {
    const socket = await connected(path, child, () => words);
    const took = performance.now() - begin;
    await checkReply(socket, wire);
    return took;
  } finally {
    program.end();
    await exited;
    running.delete(program);
  }
}

async function connected(path, child, words) {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const socket = connect(path);
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      if (child.exitCode !== null || performance.now() > end) throw new Error(`${error.message}\n${words()}`);
    }
    await sleep(1);
  }
}

/** What listens is what was started, and it serves. */
async function checkReply(socket, wire) {
  const { encode, decode } = wires[wire];
  socket.write(encode(scenario, headers, 40_000, true));
  let received = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk]);
    const reply = decode(received);
    if (reply === undefined) continue;
    if (reply.status !== 200 || reply.body !== CONSTANT)
      throw new Error(`a wrong reply: ${received.toString('latin1')}`);
    return;
  }
  throw new Error('the connection closed before the end of the reply');
}
