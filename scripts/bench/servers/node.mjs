import { nodeHandler } from '@postern/node';
import { nodeApp } from '../apps.mjs';
import { listenHttp, listenPostern } from './listen.mjs';

export function listen(target, protocol) {
  if (protocol === 'http') return listenHttp(nodeApp, target);
  return listenPostern(nodeHandler(nodeApp), protocol, target);
}
