export { type Authorization, readAuthorization } from './authorization.ts';
export type { Inquiry } from './inquiry.ts';
export { ping } from './ping.ts';
export { type ProxyOptions, proxy } from './proxy.ts';
export { type Answer, type Ask, type Connecting, type Question, request } from './request.ts';
export { Session, type SessionOptions } from './session.ts';
export type { ConnectTarget } from './target.ts';
export { type BackEndValues, getValues } from './values.ts';
