import { environHandler } from '@postern/core';
import { routeEnviron, routeNode } from '../apps.mjs';
import { listenHttp, listenPostern } from './listen.mjs';

export function listen(target, protocol) {
  if (protocol === 'http') return listenHttp(routeNode, target);
  return listenPostern(environHandler(routeEnviron), protocol, target);
}
