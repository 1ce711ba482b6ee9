/**
 * What makes the demo page live: it sends the body by itself, so that the hash can be compared with the one computed in
 * the browser, and shows a stream as it comes. Without it the form and the links work all the same.
 */
export const pageScript = `
const form = document.querySelector('#upload');
const result = document.querySelector('#upload-result');

function line(list, name, value) {
  const dt = document.createElement('dt');
  const dd = document.createElement('dd');
  dt.textContent = name;
  dd.textContent = value;
  list.append(dt, dd);
}

function verdict(text, good) {
  const p = document.createElement('p');
  p.className = good ? 'good' : 'bad';
  p.textContent = text;
  return p;
}

async function sha256(blob) {
  if (!globalThis.crypto?.subtle || blob.size > 268435456) return undefined;
  const digest = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const file = form.elements.file.files[0];
  const body = file ?? new Blob([form.elements.text.value], { type: 'text/plain;charset=utf-8' });
  const button = form.querySelector('button');
  button.disabled = true;
  result.replaceChildren();
  try {
    const start = performance.now();
    const answer = await fetch(form.action, {
      method: 'POST',
      body,
      headers: { Accept: 'application/json', 'Content-Type': body.type || 'application/octet-stream' },
    });
    if (!answer.ok) throw new Error('status ' + answer.status);
    const received = await answer.json();
    const took = performance.now() - start;
    const own = await sha256(body);
    const list = document.createElement('dl');
    line(list, 'Sent', body.size.toLocaleString('en') + ' bytes' + (file ? ' of ' + file.name : ''));
    line(list, 'The app got', received.bytes.toLocaleString('en') + ' bytes in ' + received.pieces + (received.pieces === 1 ? ' piece' : ' pieces'));
    line(list, 'SHA-256', received.sha256);
    line(list, 'Took', Math.round(took) + ' ms');
    result.append(list);
    if (own !== undefined) {
      const same = own === received.sha256;
      result.append(verdict(same ? '✓ The browser computed the same hash.' : '✗ The browser computed another hash: ' + own, same));
    }
  } catch (error) {
    result.append(verdict('✗ It did not arrive: ' + error.message, false));
  }
  button.disabled = false;
});

const start = document.querySelector('#stream-start');
const log = document.querySelector('#stream-log');
const bar = document.querySelector('#stream-bar');
let running;

start.addEventListener('click', async () => {
  if (running) return running.abort();
  running = new AbortController();
  start.textContent = 'Stop';
  log.textContent = '';
  bar.style.width = '0';
  const began = performance.now();
  try {
    const answer = await fetch('/stream', { signal: running.signal });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let total = 1;
    for (let lines = 0, step = await reader.read(); !step.done; step = await reader.read()) {
      for (const text of step.value.split('\\n').filter(Boolean)) {
        const at = ((performance.now() - began) / 1000).toFixed(1).padStart(4);
        total = Number(/ of ([0-9]+)/.exec(text)?.[1] ?? total);
        log.textContent += at + ' s  ' + text + '\\n';
        bar.style.width = (100 * ++lines) / total + '%';
      }
      log.scrollTop = log.scrollHeight;
    }
    log.textContent += 'the stream ended\\n';
  } catch (error) {
    log.textContent += running.signal.aborted ? 'stopped here; the app was told that its client left\\n' : error.message + '\\n';
  }
  log.scrollTop = log.scrollHeight;
  running = undefined;
  start.textContent = 'Start again';
});
`;
