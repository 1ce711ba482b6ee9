import { environHandler } from '@postern/core';
import { environReply, environUpload, nodeReply, nodeUpload } from '../body-apps.mjs';
import { listenHttp, listenPostern } from './listen.mjs';

function environBody(environ) {
  return environ.REQUEST_METHOD === 'POST' ? environUpload(environ) : environReply();
}

function nodeBody(req, res) {
  if (req.method === 'POST') nodeUpload(req, res);
  else nodeReply(req, res);
}

export function listen(target, protocol) {
  if (protocol === 'http') return listenHttp(nodeBody, target);
  const peer = protocol === 'ajp' ? { packetSize: 65_536 } : {};
  return listenPostern(environHandler(environBody), protocol, target, peer);
}
