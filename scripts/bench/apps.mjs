import { articles, CONSTANT, hello } from './scenarios.mjs';

/** The same application in three styles; each style is one function, whichever server runs it. */

function page(path, language) {
  return path === '/articles' ? articles(path, language) : hello(path, language);
}

function saved(path, text) {
  const article = JSON.parse(text);
  return JSON.stringify({ path, title: article.title, length: article.text.length });
}

function typeOf(path) {
  return path === '/hello/world' ? 'text/plain' : 'application/json';
}

// environ: (environ) => reply

export function environApp(environ) {
  if (environ.REQUEST_METHOD === 'POST') return environPost(environ);
  return environReply(environ.PATH_INFO, page(environ.PATH_INFO, environ.HTTP_ACCEPT_LANGUAGE));
}

async function environPost(environ) {
  return environReply(environ.PATH_INFO, saved(environ.PATH_INFO, await environ['gateway.input'].text()));
}

function environReply(path, text) {
  return {
    status: 200,
    headers: { 'content-type': typeOf(path), 'content-length': String(Buffer.byteLength(text)) },
    body: text,
  };
}

// fetch: (Request) => Response

export function fetchApp(request) {
  const { url } = request;
  const path = url.slice(url.indexOf('/', 8));
  if (request.method === 'POST') return fetchPost(request, path);
  return fetchReply(path, page(path, request.headers.get('accept-language')));
}

async function fetchPost(request, path) {
  return fetchReply(path, saved(path, await request.text()));
}

function fetchReply(path, text) {
  return new Response(text, { headers: { 'content-type': typeOf(path) } });
}

// node: (req, res)

export function nodeApp(req, res) {
  if (req.method !== 'POST') {
    nodeReply(res, req.url, page(req.url, req.headers['accept-language']));
    return;
  }
  let text = '';
  req.setEncoding('utf8');
  req.on('data', (piece) => {
    text += piece;
  });
  req.on('end', () => nodeReply(res, req.url, saved(req.url, text)));
}

function nodeReply(res, path, text) {
  res.writeHead(200, { 'content-type': typeOf(path), 'content-length': String(Buffer.byteLength(text)) });
  res.end(text);
}

// one constant answer: as few events as possible on the waist, and its like on node:http

const constantLength = String(CONSTANT.length);
const constantHeaders = ['content-type', 'text/plain', 'content-length', constantLength];

export function constantWaist(exchange) {
  exchange.respond(200, 'OK', constantHeaders, CONSTANT);
}

export function constantNode(_req, res) {
  res.writeHead(200, { 'content-type': 'text/plain', 'content-length': constantLength });
  res.end(CONSTANT);
}

// the same answer from an application that looks at the method and the path

export function routeEnviron(environ) {
  const found = environ.REQUEST_METHOD === 'GET' && environ.PATH_INFO === '/hello/world';
  const body = found ? CONSTANT : '';
  const headers = { 'content-type': 'text/plain', 'content-length': String(body.length) };
  return { status: found ? 200 : 404, headers, body };
}

export function routeNode(req, res) {
  const found = req.method === 'GET' && req.url === '/hello/world';
  const body = found ? CONSTANT : '';
  res.writeHead(found ? 200 : 404, { 'content-type': 'text/plain', 'content-length': String(body.length) });
  res.end(body);
}
