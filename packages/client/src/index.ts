export { type Ping, ping } from './ping.ts';
export { type ProxyOptions, proxy } from './proxy.ts';
export { type Answer, type Ask, request } from './request.ts';
export type { ConnectTarget } from './target.ts';
