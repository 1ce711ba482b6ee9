export { allow } from './allow.ts';
export { environOf, exchangeOf } from './environ-of.ts';
export type { GatewaySocket, ServerLike } from './gateway-socket.ts';
export { attach, type NodeHandlerOptions, nodeHandler, type RequestListener } from './node-handler.ts';
