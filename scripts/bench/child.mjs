/**
 * One server in a process of its own: `node child.mjs SERVER WIRE TARGET`, the target as JSON (see servers/listen.mjs).
 * It tells where to connect to, and answers what it is asked: `cpu`, `memory`, `profile` to begin one, { file } to write
 * it.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

const [server, wire, target] = process.argv.slice(2);
const { listen } = await import(`./servers/${server}.mjs`);

let session;

async function answer(question) {
  if (question === 'cpu') {
    const { user, system } = process.cpuUsage();
    return { cpu: user + system };
  }
  if (question === 'memory') {
    for (let i = 0; i < 3; i++) globalThis.gc();
    return { memory: process.memoryUsage() };
  }
  if (question === 'profile') {
    session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 500 });
    await session.post('Profiler.start');
    return {};
  }
  const { profile } = await session.post('Profiler.stop');
  writeFileSync(question.file, JSON.stringify(profile));
  return {};
}

process.on('message', async (question) => process.send(await answer(question)));
process.on('disconnect', () => process.exit());

process.send({ address: await listen(JSON.parse(target), wire) });
