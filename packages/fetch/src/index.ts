export { FetchContext } from './fetch-context.ts';
export {
  type FetchApp,
  type FetchAuthorizer,
  type FetchHandler,
  fetchAuthorizer,
  fetchHandler,
} from './fetch-handler.ts';
export { environOf, toRequest } from './lazy-request.ts';
