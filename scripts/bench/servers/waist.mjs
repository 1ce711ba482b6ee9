import { constantNode, constantWaist } from '../apps.mjs';
import { listenHttp, listenPostern } from './listen.mjs';

export function listen(target, protocol) {
  if (protocol === 'http') return listenHttp(constantNode, target);
  return listenPostern(constantWaist, protocol, target);
}
