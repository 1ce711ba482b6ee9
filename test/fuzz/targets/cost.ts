/** What a run spends, counted and not timed. */
export interface Cost {
  /** Calls that touch bytes: a loop over bytes or messages has some in each of its turns. */
  calls: number;
  /** Bytes that were copied, decoded or searched. */
  bytes: number;
  /** Bytes of memory that were asked for. */
  allocated: number;
  /** Statements of the decoders, where they are instrumented (`npm run fuzz`); else 0. */
  turns: number;
}

const cost: Cost = { calls: 0, bytes: 0, allocated: 0, turns: 0 };

/** Set where the decoders are instrumented: how many of their statements have run. */
let statements: () => number = () => 0;

export function countStatements(count: () => number): void {
  statements = count;
}

/** The owner of a function, its name, and what its arguments cost. */
type Counted = [owner: object, name: string, spend: (self: Buffer, args: unknown[]) => void];

function sizeOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return (value as { length?: number } | null)?.length ?? 0;
}

const allocates = (_: Buffer, [value]: unknown[]): void => {
  // of an ArrayBuffer a view is made
  if (!(value instanceof ArrayBuffer)) cost.allocated += sizeOf(value);
};
const copies = (_: Buffer, [value]: unknown[]): void => {
  cost.bytes += sizeOf(value);
};
const scans = (self: Buffer): void => {
  cost.bytes += self.length;
};

const counted: Counted[] = [
  [Buffer, 'alloc', allocates],
  [Buffer, 'allocUnsafe', allocates],
  [Buffer, 'allocUnsafeSlow', allocates],
  [
    Buffer,
    'from',
    (self, args) => {
      allocates(self, args);
      if (!(args[0] instanceof ArrayBuffer)) copies(self, args);
    },
  ],
  [
    Buffer,
    'concat',
    (_, [list]) => {
      for (const one of list as Uint8Array[]) cost.bytes += one.length;
    },
  ],
  [Buffer.prototype, 'set', copies],
  [Buffer.prototype, 'write', copies],
  [Buffer.prototype, 'fill', scans],
  [Buffer.prototype, 'copy', scans],
  [Buffer.prototype, 'indexOf', scans],
  [Buffer.prototype, 'equals', scans],
  [
    Buffer.prototype,
    'toString',
    (self, [, from = 0, to = self.length]) => {
      cost.bytes += Math.max(0, (to as number) - (from as number));
    },
  ],
  [Buffer.prototype, 'subarray', () => {}],
];

function count([owner, name, spend]: Counted): () => void {
  const own = Object.getOwnPropertyDescriptor(owner, name);
  const original = Reflect.get(owner, name) as (...args: unknown[]) => unknown;
  Object.defineProperty(owner, name, {
    configurable: true,
    writable: true,
    value: function (this: Buffer, ...args: unknown[]) {
      cost.calls++;
      spend(this, args);
      return original.apply(this, args);
    },
  });
  return () => {
    if (own === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, own);
  };
}

/** Calls that touch bytes are counted from here on. @returns ends it */
export function countCalls(): () => void {
  const undo = counted.map(count);
  return () => {
    for (const one of undo.reverse()) one();
  };
}

/** A turn of a driver. */
export function turn(): void {
  cost.calls++;
}

/** What `work` spends: all zero unless `countCalls` was called. */
export function measured<Result>(work: () => Result): { result: Result; cost: Cost } {
  cost.calls = 0;
  cost.bytes = 0;
  cost.allocated = 0;
  const before = statements();
  const result = work();
  return { result, cost: { ...cost, turns: statements() - before } };
}
