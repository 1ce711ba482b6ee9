import { startCaddy } from '../../../packages/testkit/dist/index.js';
import { HOST } from '../ask.mjs';
import { PREFIX } from '../requests.mjs';
import { block, change, printed } from './printed.mjs';

export const columns = [
  { name: 'fastcgi', protocol: 'fastcgi', prefix: true },
  { name: 'http', protocol: 'http' },
];

export function start(sites, { certificate }) {
  return startCaddy(() => sites.map((site) => siteText(site, certificate)).join('\n'), sites[0].ports.plain);
}

function siteText(site, { cert, key }) {
  const { plain, tls } = site.ports;
  const text = site.prefix ? withPrefix(printed('caddy', site)) : printed('caddy', site);
  const name = `http://${HOST}:${plain} {`;
  return `${text}\n${change(text, name, `https://${HOST}:${tls} {\ntls ${cert} ${key}`)}`;
}

/** Below the prefix the path is cut, and what was cut is named. */
function withPrefix(text) {
  const pass = block(text, 'reverse_proxy');
  const own = change(pass, 'transport fastcgi {', `transport fastcgi {\nenv SCRIPT_NAME ${PREFIX}`);
  return change(text, pass, `handle_path ${PREFIX}/* {\n${own}\n}\nhandle {\n${pass}\n}`);
}
