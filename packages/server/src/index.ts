export type { BoundAddress, ListenTarget } from './address.ts';
export { isLoopback } from './allow.ts';
export { type AutoProtocol, auto, type Listened } from './auto-protocol.ts';
export { type CgiOptions, CgiRequest, isCgi, plainCgiReply } from './cgi.ts';
export { type Clock, systemClock } from './clock.ts';
export { type HttpListener, type HttpProtocol, http } from './http-protocol.ts';
export type { LogEntry } from './log.ts';
export { Server, type ServerOptions } from './server.ts';
export { readTlsFiles, type ServerTls } from './tls-files.ts';
