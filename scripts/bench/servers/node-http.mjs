import { createServer } from 'node:http';
import { nodeApp } from '../apps.mjs';
import { listenOn } from './listen.mjs';

export function listen(target) {
  // the others have their turns between two of this one's: the default of 5 s would close its connections
  return listenOn(createServer({ keepAliveTimeout: 90_000 }, nodeApp), target);
}
