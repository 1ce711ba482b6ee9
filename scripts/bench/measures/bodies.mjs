import { BodyLoad } from '../body-load.mjs';
import { ChildServer } from '../child-server.mjs';
import { pairedRounds } from '../rounds.mjs';
import { BusyShare, busyNote, targetFor } from '../sides.mjs';

/** One request in flight on each: enough that the server never waits, few enough that a MiB of each stays in a cache. */
const CONNECTIONS = 4;
/** Of a warm-up, and of a slice. */
const WARM_UP = 4000;
const REQUESTS = 300;

/** Server CPU a request with a MiB of body, in its upload or its reply. */
export async function measure(row, options, context) {
  const of = await Side.start(row.wire, row.body, options, context);
  const to = await Side.start('http', row.body, options, context);
  try {
    const requests = options.requests ?? REQUESTS;
    for (const side of [of, to]) await side.load.run(WARM_UP);
    const samples = await pairedRounds(
      () => of.slice(requests),
      () => to.slice(requests),
      options,
    );
    return { samples, unit: 'µs a request', notes: [busyNote(of.busy, to.busy)] };
  } finally {
    for (const { load, child } of [of, to]) {
      load.close();
      await child.stop();
    }
  }
}

class Side {
  busy = new BusyShare();

  static async start(wire, body, options, context) {
    const side = new Side();
    side.child = await ChildServer.start('bodies', wire, targetFor(wire, options, context), context);
    side.load = new BodyLoad(wire, body);
    await side.load.open(side.child.address, CONNECTIONS);
    return side;
  }

  async slice(requests) {
    const begin = performance.now();
    const before = await this.child.cpu();
    await this.load.run(requests);
    const cpu = (await this.child.cpu()) - before;
    this.busy.add(cpu, (performance.now() - begin) * 1000);
    return cpu / requests;
  }
}
