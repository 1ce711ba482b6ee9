import { startHaproxy } from '../../../packages/testkit/dist/index.js';
import { PREFIX } from '../requests.mjs';
import { change, printed } from './printed.mjs';

export const columns = [
  { name: 'fastcgi', protocol: 'fastcgi', prefix: true },
  { name: 'fastcgi, mpxs-conns', protocol: 'fastcgi', prefix: true, multiplexed: true },
  { name: 'fastcgi, docroot alone', protocol: 'fastcgi', bare: true },
  { name: 'http', protocol: 'http' },
];

export function start(sites, { certificate }) {
  return startHaproxy(() => sites.map((site) => siteText(site, certificate)).join('\n'), sites[0].ports.plain);
}

function siteText(site, { both }) {
  const { plain, tls } = site.ports;
  const bind = [`bind 127.0.0.1:${plain}`, `bind [::1]:${plain}`, `bind 127.0.0.1:${tls} ssl crt ${both}`];
  let text = change(printed('haproxy', site), `bind :${plain}`, bind.join('\n    '));
  // a fcgi-app needs no more than its docroot
  if (site.bare) text = change(text, /^ *(?:path-info|set-param) .*\n/gm, '');
  if (site.prefix) text = change(text, 'path-info ^()(/.*)$', `path-info ^(${PREFIX}|)(/.*)$`);
  if (site.multiplexed) text = change(text, /#(option (?:get-values|mpxs-conns|max-reqs))/g, '$1');
  return text;
}
