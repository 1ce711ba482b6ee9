import { createServer } from 'node-fastcgi';
import { nodeApp } from '../apps.mjs';
import { listenOn } from './listen.mjs';

export function listen(target) {
  return listenOn(createServer(nodeApp), target);
}
