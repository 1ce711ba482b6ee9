// A fetch handler that streams: one event a second until the client leaves.
//   postern serve docs/examples/clock.mjs --listen fastcgi+unix:/tmp/clock.sock
import { setTimeout as sleep } from 'node:timers/promises';

async function* ticks(signal) {
  while (!signal.aborted) {
    yield new TextEncoder().encode(`data: ${new Date().toISOString()}\n\n`);
    await sleep(1000, undefined, { signal }).catch(() => {});
  }
}

const page = `<!doctype html><title>Clock</title><pre id="t"></pre>
<script>new EventSource('/ticks').onmessage = (event) => { t.textContent = event.data; }</script>`;

export default {
  fetch(request) {
    if (new URL(request.url).pathname !== '/ticks')
      return new Response(page, { headers: { 'Content-Type': 'text/html' } });
    return new Response(ReadableStream.from(ticks(request.signal)), {
      headers: { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' },
    });
  },
};
