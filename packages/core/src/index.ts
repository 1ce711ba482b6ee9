export type { Allowance, Application, Authorizer, Chunk, FileBody, Reply, ReplyBody } from './application.ts';
export { checkRole, lacking } from './ask.ts';
export { authorizerHandler, guardAuthorizer, isAllowance } from './authorizer.ts';
export { AuthorizerExchange, variableHeaders } from './authorizer-exchange.ts';
export { Budget } from './budget.ts';
export { CgiHead, checkContentLength, checkMethod, checkProtocol, isBodyStated } from './cgi-head.ts';
export { cgiReplyHead, replyHeadText } from './cgi-reply.ts';
export { type CgiReplyHead, CgiReplyReader } from './cgi-reply-reader.ts';
export { checkValues, checkVariable } from './cgi-values.ts';
export { chunkBytes } from './chunk-bytes.ts';
export { ChunkList } from './chunk-list.ts';
export { buildEnviron, type CgiVariables, type Environ, type GatewayVariables } from './environ.ts';
export { environHandler } from './environ-handler.ts';
export {
  AbortError,
  ConfigError,
  describeError,
  type ErrorCode,
  errorCodes,
  LocalProtocolError,
  PosternError,
  printable,
  RemoteProtocolError,
} from './errors.ts';
export { isEventStream, unbuffered } from './event-stream.ts';
export type { BodyWriter, ErrorSink, Exchange, Handler, Role } from './exchange.ts';
export { lineVariables, type NamedHead, type RequestHead } from './head.ts';
export { type CheckedHeaders, checkHeaders, checkStatus, isBodyless, isFieldValue, isToken } from './headers.ts';
export { HttpHead } from './http-head.ts';
export { IdMap } from './id-map.ts';
export { carriesInterim } from './interim.ts';
export {
  type CountedLimit,
  type LimitCounts,
  type LimitName,
  type Limits,
  limitCounts,
  limitsWith,
  limitTable,
} from './limits.ts';
export { NameTree } from './name-tree.ts';
export { NameWalk } from './name-walk.ts';
export { ownText } from './own-text.ts';
export { decodePath, encodePath, normalisePath, splitPath, targetPath, targetQuery } from './paths.ts';
export { profileRules, splitCookies } from './profiles.ts';
export type {
  AnswerEvent,
  AskEvent,
  BackEndOptions,
  ClientConnection,
  ClientProtocol,
  Connection,
  Notice,
  Output,
  PeerOptions,
  Protocol,
  ReplyEvent,
  RequestEvent,
  ServerConnection,
  ServerProtocol,
} from './protocol.ts';
export { ReplyFields } from './reply-fields.ts';
export { nextReplyState, type ReplyInput, type ReplyState, replyTable } from './reply-state.ts';
export { type BodySink, type BodySource, RequestBody } from './request-body.ts';
export { abortedError, drained, isThenable, sendPieces } from './send-body.ts';
export { reasonOf } from './status.ts';
export { Tunnel, type TunnelCarrier } from './tunnel.ts';
export { upgradeAsked, upgradeHeaders } from './upgrade.ts';
export { upgradeLack } from './upgrade-support.ts';
export { mergeRepeated, Rule, type VariableNames, variableNames } from './variable-names.ts';
export { checkItem, VariableReader, type Variables } from './variable-reader.ts';
