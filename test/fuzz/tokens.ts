/** What the protocols are made of: a mutation that puts one of these in gets further than chance. */

function latin1(...texts: string[]): Buffer[] {
  return texts.map((text) => Buffer.from(text, 'latin1'));
}

const hex = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text, 'hex'));

const variables = latin1(
  ...[
    'CONTENT_LENGTH',
    'CONTENT_TYPE',
    'REQUEST_METHOD',
    'REQUEST_URI',
    'SERVER_PROTOCOL',
    'SERVER_SOFTWARE',
    'nginx/1.22',
  ],
  ...[
    'Apache/2.4',
    'lighttpd/1.4.69',
    'Caddy/2.6.2',
    'HAProxy',
    'SCRIPT_NAME',
    'PATH_INFO',
    'QUERY_STRING',
    'HTTPS',
    'on',
  ],
  ...[
    'HTTP_HOST',
    'HTTP_PROXY',
    'HTTP_TRANSFER_ENCODING',
    'chunked',
    'HTTP_CONTENT_LENGTH',
    'HTTP_COOKIE',
    'HTTP_UPGRADE',
  ],
  ...[
    'HTTP_CONNECTION',
    'websocket',
    'Upgrade',
    'HTTP_AUTHORIZATION',
    'HTTP_EXPECT',
    '__proto__',
    'constructor',
    'toString',
  ],
  ...['GET', 'HEAD', 'POST', 'OPTIONS', '*', '/', 'HTTP/1.1', 'HTTP/1.0', '-1', '0', '5', '65535', '\r\n', '\0', 'é'],
  ...['REQUEST_SCHEME', 'https', 'REMOTE_USER', 'UWSGI_FILE', 'SCGI', '1'],
);

export const cgi = [...variables, ...latin1('0:', '24:', ',', ':', '99999999999:')];

export const fastcgi = [
  ...variables,
  ...latin1('FCGI_MAX_CONNS', 'FCGI_MAX_REQS', 'FCGI_MPXS_CONNS', 'FCGI_DATA_LENGTH'),
  ...hex('0101000100080000', '0001000000000000', '0001010000000000', '0003010000000000', '0104000100000000'),
  ...hex('0105000100000000', '0108000100000000', '0102000100000000', '0109000000000000', '010b000000000000'),
  ...hex(
    '0106000100000000',
    '0107000100000000',
    '0103000100080000',
    '010a000000000000',
    '80000000',
    'ffffffff',
    '7fffffff',
  ),
];

export const ajp = [
  ...latin1('HTTP/1.1', '/', '127.0.0.1', 'host', 'content-length', 'Transfer-Encoding', 'chunked', 'AJP_LOCAL_ADDR'),
  ...latin1(
    'AJP_REMOTE_PORT',
    'AJP_SSL_PROTOCOL',
    'javax.servlet.include.request_uri',
    '__proto__',
    'x_y',
    'cookie',
    'a, b=c',
  ),
  ...hex(
    '1234',
    '4142',
    '12340000',
    '123400010a',
    '4142000109',
    '41420002050141420002050041420003061ffa',
    '4142000403000000',
  ),
  ...hex('a008', 'a00b', 'a001', 'a00e', 'ffff', 'ff', '0a', '0b', '0c', '0d', '0202', '0204', '02ff', '0000', '1ffa'),
];

export const uwsgi = [
  ...variables,
  ...hex('00000000', '64000000', '1e000000', '64000001', 'ffff', '0000', '0e00', '0100'),
];

export const reply = latin1(
  ...['Status: 200 OK', 'Status: 103', 'Status: 101', 'Status: 304', 'HTTP/1.1 200 OK', 'HTTP/1.0 404', 'Location: /'],
  ...[
    'Content-Length: 5',
    'Content-Length: 6',
    'Transfer-Encoding: chunked',
    'Content-Type: text/plain',
    'A: b',
    '\r\n\r\n',
  ],
  ...['\n', '\r\n', '\r', ':', ' ', '\t', '__proto__: x', 'd\0\0\x01'],
);
