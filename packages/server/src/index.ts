export type { BoundAddress, ListenTarget } from './address.ts';
export { isLoopback } from './allow.ts';
export { type Clock, systemClock } from './clock.ts';
export type { LogEntry } from './log.ts';
export { Server, type ServerOptions } from './server.ts';
