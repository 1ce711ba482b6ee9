import { createHash } from 'node:crypto';
import type { Environ } from '@postern/core';
import { nginxConfig } from '../config/nginx.ts';
import type { Received } from './demo-app.ts';
import { type EnvironGroup, type EnvironRow, environGroups } from './environ-groups.ts';
import { Html, type HtmlValue, html } from './html.ts';
import { pageScript } from './page-script.ts';
import { pageStyle } from './page-style.ts';

const SOCKET = '/tmp/app.sock';
const ADDRESS = `fastcgi+unix:${SOCKET}`;

function sourceHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** No script, style or request but the page's own, whatever a variable holds. */
const policy = [
  "default-src 'none'",
  `style-src ${sourceHash(pageStyle)}`,
  `script-src ${sourceHash(pageScript)}`,
  "connect-src 'self'",
  "form-action 'self'",
  'img-src data:',
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const pageHeaders: Record<string, string> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
};

/** Paths that a gateway may get wrong, and what to look at. */
const oddPaths: readonly (readonly [string, string])[] = [
  ['/a%2Fb?x=1', 'an encoded slash, raw in REQUEST_URI alone'],
  ['/caf%C3%A9/%CF%80', 'UTF-8 in the path'],
  ['/a//b/./c', 'doubled slashes and dots'],
  ['/100%25?q=a%20b&q=c+d', 'a percent sign; the query stays raw'],
  ['/%3Cscript%3Ealert(1)%3C/script%3E', 'markup, which must stay text'],
];

const appSource = `// app.mjs
export default (environ) => ({
  status: 200,
  headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  body: \`You asked for \${environ.REQUEST_URI}\\n\`,
});`;

const expressSource = `// app.mjs, with Express
import express from 'express';

const app = express();
app.get('/', (req, res) => res.send('Hello'));
export default app;`;

const door = new Html(
  '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linejoin="round" aria-hidden="true"><path d="M3 21h18M5 21V10a7 7 0 0 1 14 0v11M9 21v-9.5a3 3 0 0 1 6 0V21"/></svg>',
);
const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='%238b4d22' stroke-width='2'%3E%3Cpath d='M3 21h18M5 21V10a7 7 0 0 1 14 0v11M9 21v-9.5a3 3 0 0 1 6 0V21'/%3E%3C/svg%3E";

/** What `postern config nginx` prints for the example's address, without its comments. */
const nginxSource = nginxConfig('fastcgi', { transport: 'unix', path: SOCKET })
  .replace(/^\s*#.*\n/gm, '')
  .replace(/\n{2,}/g, '\n\n')
  .trim();

/** The page that shows an environ, and what came of the body if there was one. */
export function renderPage(environ: Environ, received: Received | undefined): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Postern demo: a request over FastCGI</title>
<link rel="icon" href="${icon}">
<style>${new Html(pageStyle)}</style>
</head>
<body>
${hero(environ)}
<main class="wrap">
${received === undefined ? undefined : receipt(environ, received)}
${tryIt()}
<section aria-labelledby="environ">
<h2 id="environ">The environ, as the app saw it</h2>
<p class="about">One object with everything about this request: the variables that the web server sent, and what the gateway adds. Express, Fastify, Hono and the others get their own request objects, made of the same.</p>
<div class="groups">${environGroups(environ).map(groupCard)}</div>
</section>
${behindNginx()}
</main>
<footer><p class="wrap">Everything on this page came in one answer of the app; nothing is loaded from elsewhere. Stop the demo with <kbd>Ctrl+C</kbd> in its terminal.</p></footer>
<script>${new Html(pageScript)}</script>
</body>
</html>
`;
  return page.text;
}

function hero(environ: Environ): Html {
  const text = (name: string): string => String(environ[name] ?? '');
  return html`<header class="wrap">
<div class="brand">${door} Postern <span>demo</span></div>
<h1>This page came to you over FastCGI</h1>
<p class="lead">Your browser spoke HTTP with a small front-end, which stands in for nginx. It passed the request on over FastCGI to the app, and the app answered with this page. No web server is installed for it.</p>
<ol class="way">
${stop('Your browser', `${text('REMOTE_ADDR')}:${text('REMOTE_PORT')}`)}
${hop(text('SERVER_PROTOCOL'))}
${stop('Front-end', `${text('SERVER_ADDR')}:${text('SERVER_PORT')}`)}
${hop('FastCGI')}
${stop('The app', `${text('REQUEST_METHOD')} ${text('REQUEST_URI')}`, ' here')}
</ol>
</header>`;
}

function stop(title: string, detail: string, more = ''): Html {
  return html`<li class="stop${more}"><b>${title}</b><code>${detail.length > 80 ? `${detail.slice(0, 80)}…` : detail}</code></li>`;
}

function hop(title: string): Html {
  return html`<li class="hop">${title}</li>`;
}

function receipt(environ: Environ, { bytes, sha256, pieces }: Received): Html {
  return html`<div class="card notice" role="status">
<h3>The app received a body by ${environ.REQUEST_METHOD}</h3>
<div class="result"><dl>
<dt>Bytes</dt><dd id="received-bytes">${bytes}</dd>
<dt>Pieces</dt><dd>${pieces}</dd>
<dt>SHA-256</dt><dd id="received-sha256">${sha256}</dd>
</dl></div>
</div>`;
}

function tryIt(): Html {
  return html`<section aria-labelledby="try">
<h2 id="try">Try it</h2>
<p class="about">Each of these goes the whole way, through the front-end and back.</p>
<div class="cards">
<div class="card">
<h3>Odd paths</h3>
<p>The app answers on any path. Under Paths you see what became of it.</p>
<ul class="paths">${oddPaths.map(([path, about]) => html`<li><a href="${path}#group-paths">${path}</a><small>${about}</small></li>`)}</ul>
</div>
<div class="card">
<h3>Send a body</h3>
<p>A file of any size: the app reads it as it comes and keeps only its hash.</p>
<form id="upload" method="post" action="/upload" enctype="multipart/form-data">
<label for="file">A file</label>
<input id="file" type="file" name="file">
<label for="text">or a text</label>
<textarea id="text" name="text" spellcheck="false">Through the little door in the wall.</textarea>
<button>Send</button>
</form>
<div class="result" id="upload-result" role="status"></div>
</div>
<div class="card tall">
<h3>Watch a stream</h3>
<p>The app writes a line every 0.4 seconds, and each is shown when it arrives. Stop it, and the app is told at once.</p>
<div><button id="stream-start" type="button">Start</button></div>
<div class="bar"><i id="stream-bar"></i></div>
<pre class="log" id="stream-log" role="log" tabindex="0" aria-label="The lines of the stream"></pre>
</div>
</div>
</section>`;
}

function groupCard({ id, title, about, rows }: EnvironGroup): Html {
  return html`<div class="card" id="group-${id}">
<div class="head"><h3 id="title-${id}">${title}</h3><p>${about}</p></div>
<table aria-labelledby="title-${id}"><tbody>
${rows.map(rowMarkup)}</tbody></table>
</div>
`;
}

function rowMarkup({ name, value, note, special }: EnvironRow): HtmlValue {
  const shown = special ? html`<span class="special">${value}</span>` : value;
  const more = note === undefined ? undefined : html`<small>${note}</small>`;
  return html`<tr><th scope="row">${breakable(name)}</th><td>${shown}${more}</td></tr>
`;
}

/** A long name may be broken behind an underscore. */
function breakable(name: string): HtmlValue {
  return name.split('_').map((part, i) => (i === 0 ? part : html`_<wbr>${part}`));
}

function behindNginx(): Html {
  return html`<section aria-labelledby="nginx">
<h2 id="nginx">Your own app, behind a real web server</h2>
<p class="about">The app stays as it is. It listens on a unix socket or a port, and nginx takes the place of the front-end of this demo.</p>
<div class="steps">
<div class="card">
<h3>1. An app</h3>
<pre tabindex="0"><code>${appSource}</code></pre>
<h3>or with what you know</h3>
<pre tabindex="0"><code>${expressSource}</code></pre>
<h3>2. Serve it</h3>
<pre tabindex="0"><code>npm start -- ./app.mjs --listen ${ADDRESS}</code></pre>
</div>
<div class="card">
<h3>3. Tell nginx</h3>
<p>Into its <code>http</code> block. <code>npx postern config nginx --listen ${ADDRESS}</code> prints this with comments:</p>
<pre class="long" tabindex="0"><code>${nginxSource}</code></pre>
</div>
</div>
</section>`;
}
