import { environHandler } from '@postern/core';
import { environApp } from '../apps.mjs';
import { listenFastcgi } from './postern.mjs';

export function listen(target) {
  return listenFastcgi(environHandler(environApp), target);
}
