/**
 * What is asked, and what must come back from every server alike; apps.mjs makes it. The requests are those of real
 * clients as nginx passes them on: `clients` are asked for by turns, one a connection.
 */

const firefox = [
  ['Host', 'www.example.org'],
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'],
  ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
  ['Accept-Language', 'en-US,en;q=0.5'],
  ['Accept-Encoding', 'gzip, deflate, br'],
  ['Cookie', 'sid=3f7a9c51e0b84d26; theme=dark'],
];

const chrome = [
  ['Host', 'www.example.org'],
  ['Cache-Control', 'max-age=0'],
  ['Sec-CH-UA', '"Chromium";v="128", "Not;A=Brand";v="24"'],
  ['Sec-CH-UA-Mobile', '?0'],
  ['Sec-CH-UA-Platform', '"Windows"'],
  ['Upgrade-Insecure-Requests', '1'],
  ['User-Agent', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0'],
  ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
  ['Sec-Fetch-Site', 'same-origin'],
  ['Sec-Fetch-Mode', 'navigate'],
  ['Sec-Fetch-Dest', 'document'],
  ['Referer', 'http://www.example.org/'],
  ['Accept-Encoding', 'gzip, deflate'],
  ['Accept-Language', 'de-DE,de;q=0.9,en;q=0.8'],
];

const program = [
  ['Host', 'www.example.org'],
  ['User-Agent', 'curl/8.9.1'],
  ['Accept', '*/*'],
  ['Accept-Language', 'en'],
];

const draft = JSON.stringify({ title: 'a new article', text: 'x'.repeat(989) });

/** Twelve articles as a list page would have them: about a KiB of JSON. */
export function articles(path, language) {
  const list = [];
  for (let id = 1; id <= 12; id++)
    list.push({ id, title: `Article number ${id}`, tags: ['bench', 'json'], read: false });
  return JSON.stringify({ path, language, articles: list });
}

export function hello(path, language) {
  return `hello from ${path} to a reader of ${language}\n`;
}

/** The answer of those that look at nothing, or at the method and the path alone. */
export const CONSTANT = 'hello world\n';

function languageOf(headers) {
  return headers.find(([name]) => name === 'Accept-Language')[1];
}

export const scenarios = [
  {
    name: 'constant',
    text: 'GET, one short text for all',
    method: 'GET',
    target: '/hello/world',
    clients: [firefox],
    body: '',
    expected: () => CONSTANT,
  },
  {
    name: 'hello',
    text: 'GET, a short text that names the path and one header',
    method: 'GET',
    target: '/hello/world',
    clients: [firefox],
    body: '',
    expected: (headers) => hello('/hello/world', languageOf(headers)),
  },
  {
    name: 'mixed',
    text: 'the same, asked by three kinds of clients',
    method: 'GET',
    target: '/hello/world',
    clients: [firefox, chrome, program],
    body: '',
    expected: (headers) => hello('/hello/world', languageOf(headers)),
  },
  {
    name: 'json',
    text: 'GET, a list of about 1 KiB made into JSON',
    method: 'GET',
    target: '/articles',
    clients: [firefox],
    body: '',
    expected: (headers) => articles('/articles', languageOf(headers)),
  },
  {
    name: 'post',
    text: 'POST of 1 KiB, read whole and parsed as JSON',
    method: 'POST',
    target: '/articles/new',
    clients: [[...firefox, ['Content-Type', 'application/json'], ['Content-Length', String(draft.length)]]],
    body: draft,
    expected: () => '{"path":"/articles/new","title":"a new article","length":989}',
  },
];
