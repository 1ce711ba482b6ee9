import { fetchHandler } from '@postern/fetch';
import { fetchApp } from '../apps.mjs';
import { listenFastcgi } from './postern.mjs';

export function listen(target) {
  return listenFastcgi(fetchHandler(fetchApp), target);
}
