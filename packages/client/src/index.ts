export { type Answer, type Ask, request } from './request.ts';
export type { ConnectTarget } from './target.ts';
