import { nodeHandler } from '@postern/node';
import { nodeApp } from '../apps.mjs';
import { listenFastcgi } from './postern.mjs';

export function listen(target) {
  return listenFastcgi(nodeHandler(nodeApp), target);
}
