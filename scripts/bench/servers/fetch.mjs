import { fetchApp } from '../apps.mjs';
import { listenFetch } from './listen-fetch.mjs';

export function listen(target, protocol) {
  return listenFetch(fetchApp, protocol, target);
}
