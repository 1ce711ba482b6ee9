import { environHandler } from '@postern/core';
import { environApp } from '../apps.mjs';
import { listenPostern } from './listen.mjs';

export function listen(target, protocol) {
  return listenPostern(environHandler(environApp), protocol, target);
}
