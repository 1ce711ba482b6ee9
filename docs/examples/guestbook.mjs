// An environ app that reads a form and keeps what it was sent.
//   postern serve docs/examples/guestbook.mjs --listen fastcgi+unix:/tmp/guestbook.sock
const entries = [];

export default async function guestbook(environ) {
  if (environ.REQUEST_METHOD === 'POST') {
    const form = new URLSearchParams(await environ['gateway.input'].text(10_000));
    entries.push({ from: environ.REMOTE_USER || environ.REMOTE_ADDR, text: form.get('text') ?? '' });
    if (entries.length > 100) entries.shift();
    return { status: 303, headers: { Location: environ.SCRIPT_NAME || '/' } };
  }
  const list = entries.map((entry) => `<li>${escapeHtml(entry.from)}: ${escapeHtml(entry.text)}</li>`).join('');
  return {
    status: 200,
    headers: { 'Content-Type': 'text/html; charset=utf-8' },
    body: `<!doctype html><title>Guestbook</title><ul>${list}</ul><form method="post"><input name="text"><button>Sign</button></form>`,
  };
}

function escapeHtml(text) {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
