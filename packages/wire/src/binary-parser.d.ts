/** binary-parser's own types cannot be reached through its `exports`; this is what is used of it. */
declare module 'binary-parser' {
  export class Parser {
    uint8(name: string): this;
    uint16be(name: string): this;
    uint16le(name: string): this;
    uint32be(name: string): this;
    buffer(name: string, options: { length: number }): this;
    create(kind: new () => object): this;
    compile(): void;
    parse(bytes: Uint8Array): unknown;
  }
}
