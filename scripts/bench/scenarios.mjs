/**
 * What is asked and what must come back. The body of the reply is the same text from every server; apps.mjs makes it.
 * `headers` are those of a browser, as nginx passes them on.
 */
const browser = [
  ['Host', 'www.example.org'],
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'],
  ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
  ['Accept-Language', 'en-US,en;q=0.5'],
  ['Accept-Encoding', 'gzip, deflate, br'],
  ['Cookie', 'sid=3f7a9c51e0b84d26; theme=dark'],
];

const form = JSON.stringify({ title: 'a new article', text: 'x'.repeat(983) });

/** Twelve articles as a list page would have them: about a KiB of JSON. */
export function articles(path, language) {
  const list = [];
  for (let id = 1; id <= 12; id++)
    list.push({ id, title: `Article number ${id}`, tags: ['bench', 'json'], read: false });
  return JSON.stringify({ path, language, articles: list });
}

export const scenarios = [
  {
    name: 'hello',
    text: 'GET, a short text that names the path and one header',
    method: 'GET',
    target: '/hello/world',
    headers: browser,
    body: '',
    expected: 'hello from /hello/world to a reader of en-US,en;q=0.5\n',
  },
  {
    name: 'json',
    text: 'GET, a list of about 1 KiB made into JSON',
    method: 'GET',
    target: '/articles',
    headers: browser,
    body: '',
    expected: articles('/articles', 'en-US,en;q=0.5'),
  },
  {
    name: 'post',
    text: 'POST of 1 KiB, read whole and parsed as JSON',
    method: 'POST',
    target: '/articles/new',
    headers: [...browser, ['Content-Type', 'application/json'], ['Content-Length', String(form.length)]],
    body: form,
    expected: '{"path":"/articles/new","title":"a new article","length":983}',
  },
];
