/** A node:http server as small as can be: `node startup-http.mjs SOCKET`. */
import { createServer } from 'node:http';

createServer((_req, res) => {
  res.writeHead(200, { 'content-type': 'text/plain', 'content-length': '12' });
  res.end('hello world\n');
}).listen(process.argv[2]);
