import * as ajp from './wires/ajp.mjs';
import * as fastcgi from './wires/fastcgi.mjs';
import * as http from './wires/http.mjs';
import * as scgi from './wires/scgi.mjs';
import * as uwsgi from './wires/uwsgi.mjs';

/**
 * How servers are asked. `protocol` is what the server speaks; `kept`: its connections are used again and again,
 * otherwise each request has one of its own.
 */
export const wires = {
  fastcgi: { protocol: 'fastcgi', kept: true, ...fastcgi },
  ajp: { protocol: 'ajp', kept: true, ...ajp },
  scgi: { protocol: 'scgi', kept: false, ...scgi },
  uwsgi: { protocol: 'uwsgi', kept: false, ...uwsgi },
  http: { protocol: 'http', kept: true, ...http },
  'fastcgi-close': { protocol: 'fastcgi', kept: false, ...fastcgi },
  'http-close': { protocol: 'http', kept: false, ...http },
};
