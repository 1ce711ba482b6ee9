export {
  AbortError,
  type Allowance,
  type Application,
  type Authorizer,
  type CgiVariables,
  type Chunk,
  ConfigError,
  type Environ,
  type ErrorCode,
  type Exchange,
  errorCodes,
  type FileBody,
  type GatewayVariables,
  type Handler,
  type LimitName,
  type Limits,
  LocalProtocolError,
  limitTable,
  PosternError,
  RemoteProtocolError,
  type Reply,
  type ReplyBody,
} from '@postern/core';
export type { FetchApp, FetchAuthorizer, FetchContext, FetchHandler } from '@postern/fetch';
export { allow } from '@postern/node';
export type { GatewayName, ProtocolName } from './address.ts';
export { type CreateServerOptions, createServer, type GatewayServer, type RequestListener } from './create-server.ts';
export { environOf } from './environ-of.ts';
export type { Interface } from './interface.ts';
export type { ListenOptions } from './listen-arguments.ts';
export type { ListenedName } from './protocols.ts';
export { type Served, type ServeOptions, serve } from './serve.ts';
