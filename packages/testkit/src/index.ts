export {
  type BackEnd,
  startPerlFcgi,
  startPhpFpm,
  startTomcat,
  startUwsgi,
  type UwsgiPorts,
} from './back-ends.ts';
export { cutAt, everyWay, type Run, randomNumbers, singleBytes, type Ways } from './cases.ts';
export { type Child, startChild } from './child.ts';
export { type Asked, type Conversation, converse, outputText, type Play, textOf } from './conversation.ts';
export {
  abort,
  begin,
  hex,
  pair,
  pairs,
  params,
  plainGet,
  type ReadRecord,
  type ReadReply,
  type RecordExtras,
  readRecords,
  readReplies,
  record,
  request,
  stdin,
  type Variables,
} from './fastcgi-bytes.ts';
export { type FiveReply, fiveProtocols, type OneOfFive, replyInFive, requestInFive } from './five-protocols.ts';
export {
  type FrontEnd,
  freePort,
  startApache,
  startCaddy,
  startHaproxy,
  startLighttpd,
  startNginx,
  temporaryFolder,
} from './front-ends.ts';
export { type Heard, hear } from './hearing.ts';
export { type HttpAsk, type HttpReply, http } from './http.ts';
export { answerOf, askHttp, type HttpAsked, openHttp } from './http-client.ts';
export { portOf, repository, type Served, servePostern, startPostern, writeProgram } from './postern-child.ts';
export { type Tunnelled, type TunnelPlay, tunnelling, upgrade } from './tunnelling.ts';
export { until } from './until.ts';
