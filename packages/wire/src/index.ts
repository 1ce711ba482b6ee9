export { asBuffer, ByteQueue } from './byte-queue.ts';
export { ByteWriter } from './byte-writer.ts';
export { hexdump } from './hexdump.ts';
export { type Field, type FieldType, fieldSize, type Layout, layout, type ValuesOf } from './layout.ts';
