export { asBuffer, ByteQueue } from './byte-queue.ts';
export { ByteWriter } from './byte-writer.ts';
export { hexdump } from './hexdump.ts';
export { type Field, type FieldType, fieldSize, type Layout, layout, type ValuesOf } from './layout.ts';
export { OneShotClientConnection, type OneShotRequests } from './one-shot-client.ts';
export { ONE_SHOT_ID, type OneShotFormat, type OneShotHead, OneShotServerConnection } from './one-shot-server.ts';
export { type OneShotInput, type OneShotState, oneShotTable } from './one-shot-state.ts';
