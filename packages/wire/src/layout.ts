import type { Parser } from 'binary-parser';

/** Integers of the wire, and `bytes`: a fixed number of them. */
export type FieldType = 'uint8' | 'uint16be' | 'uint16le' | 'uint32be' | 'bytes';

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** Of `bytes` only. */
  readonly length?: number;
  readonly text: string;
}

const sizes = { uint8: 1, uint16be: 2, uint16le: 2, uint32be: 4 } as const;

type ValueOf<F extends Field> = F['type'] extends 'bytes' ? Buffer : number;
export type ValuesOf<Rows extends readonly Field[]> = { [F in Rows[number] as F['name']]: ValueOf<F> };

/** A fixed structure of a wire, described once: parse, write, size, types and the docs' tables come from the same rows. */
export interface Layout<Rows extends readonly Field[]> {
  readonly name: string;
  /** The section of the specification. */
  readonly section: string;
  readonly fields: Rows;
  /** In bytes. */
  readonly size: number;
  /** @throws RangeError fewer than `size` bytes */
  parse(bytes: Uint8Array, offset?: number): ValuesOf<Rows>;
  /** Fields that are left out are zero. @throws RangeError a value does not fit its field */
  write(values: Partial<ValuesOf<Rows>>): Buffer;
}

/**
 * binary-parser deletes `$parent` and `$root` from each result, which would make it a slow dictionary. On this prototype
 * the two are swallowed, so that the delete finds nothing.
 */
class Values {}
for (const name of ['$parent', '$root']) {
  Object.defineProperty(Values.prototype, name, { get: () => undefined, set: () => {} });
}

export function fieldSize(field: Field): number {
  return field.type === 'bytes' ? (field.length ?? 0) : sizes[field.type];
}

/** Makes a layout of rows in specification order. What parses it is compiled on first use: a server only writes. */
export function layout<const Rows extends readonly Field[]>(name: string, section: string, fields: Rows): Layout<Rows> {
  const size = fields.reduce((sum, field) => sum + fieldSize(field), 0);
  let parser: Parser | undefined;
  return {
    name,
    section,
    fields,
    size,
    parse(bytes, offset = 0) {
      // a buffer field that is longer than the input would be cut without a word
      if (bytes.length - offset < size) throw new RangeError(`${name}: ${bytes.length - offset} of ${size} bytes`);
      parser ??= compile(fields);
      return parser.parse(Buffer.from(bytes.buffer, bytes.byteOffset + offset, size)) as ValuesOf<Rows>;
    },
    write(values) {
      const bytes = Buffer.alloc(size);
      let at = 0;
      for (const field of fields) {
        const value = (values as Record<string, number | Buffer | undefined>)[field.name];
        if (value !== undefined) writeField(bytes, at, name, field, value);
        at += fieldSize(field);
      }
      return bytes;
    },
  };
}

function compile(fields: readonly Field[]): Parser {
  const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);
  const { Parser } = require('binary-parser') as typeof import('binary-parser');
  let parser = new Parser().create(Values);
  for (const field of fields) {
    if (field.type === 'bytes') parser = parser.buffer(field.name, { length: field.length ?? 0 });
    else parser = parser[field.type](field.name);
  }
  parser.compile();
  return parser;
}

function writeField(into: Buffer, at: number, name: string, field: Field, value: number | Buffer): void {
  switch (field.type) {
    case 'uint8':
      into.writeUInt8(value as number, at);
      break;
    case 'uint16be':
      into.writeUInt16BE(value as number, at);
      break;
    case 'uint16le':
      into.writeUInt16LE(value as number, at);
      break;
    case 'uint32be':
      into.writeUInt32BE(value as number, at);
      break;
    case 'bytes':
      if ((value as Buffer).length !== field.length)
        throw new RangeError(`${name}.${field.name} takes ${field.length} bytes`);
      into.set(value as Buffer, at);
  }
}
