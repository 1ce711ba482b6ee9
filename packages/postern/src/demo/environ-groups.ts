import type { Environ, RequestBody } from '@postern/core';

export interface EnvironRow {
  readonly name: string;
  /** As people read it. */
  readonly value: string;
  /** What a reader may stumble over. */
  readonly note?: string;
  /** The value is no text of the request: an object, a flag, or empty. */
  readonly special?: boolean;
}

export interface EnvironGroup {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly rows: EnvironRow[];
}

interface GroupPlan {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  has(name: string): boolean;
}

const oneOf = (...names: string[]): ((name: string) => boolean) => names.includes.bind(names);

/** A variable belongs to the first group that has it. */
const plans: readonly GroupPlan[] = [
  {
    id: 'request',
    title: 'Request',
    about: 'What was asked for, and of what kind its body is.',
    has: oneOf('REQUEST_METHOD', 'SERVER_PROTOCOL', 'REQUEST_SCHEME', 'HTTPS', 'CONTENT_TYPE', 'CONTENT_LENGTH'),
  },
  {
    id: 'paths',
    title: 'Paths',
    about: 'REQUEST_URI is raw, as the client sent it. SCRIPT_NAME and PATH_INFO are decoded.',
    has: oneOf('REQUEST_URI', 'SCRIPT_NAME', 'PATH_INFO', 'QUERY_STRING'),
  },
  {
    id: 'gateway',
    title: 'Gateway',
    about: 'What the gateway itself tells; no name from the wire can take these.',
    has: (name) => name.startsWith('gateway.') || name === 'GATEWAY_INTERFACE',
  },
  {
    id: 'client',
    title: 'Client',
    about: 'Who asked, as the web server saw it.',
    has: (name) => name.startsWith('REMOTE_') || name === 'AUTH_TYPE',
  },
  {
    id: 'server',
    title: 'Server',
    about: 'The web server in front.',
    has: (name) => name.startsWith('SERVER_'),
  },
  {
    id: 'headers',
    title: 'Headers',
    about: 'Repeated ones are joined. Proxy, and names with an underscore, never come through.',
    has: (name) => name.startsWith('HTTP_'),
  },
  { id: 'other', title: 'Other', about: 'Whatever else the web server was told to send.', has: () => true },
];

const gatewayNames = [
  'gateway.version',
  'gateway.protocol',
  'gateway.role',
  'gateway.url_scheme',
  'gateway.input',
  'gateway.errors',
  'gateway.signal',
  'gateway.multithread',
  'gateway.multiprocess',
  'gateway.run_once',
] as const;

/** All that is in an environ, sorted into groups; a group without variables is left out. */
export function environGroups(environ: Environ): EnvironGroup[] {
  const groups = plans.map(({ id, title, about }): EnvironGroup => ({ id, title, about, rows: [] }));
  for (const name of [...Object.keys(environ), ...gatewayNames]) {
    const row = environRow(name, environ[name], environ);
    groups[plans.findIndex((plan) => plan.has(name))].rows.push(row);
  }
  return groups.filter(({ rows }) => rows.length > 0);
}

function environRow(name: string, value: unknown, environ: Environ): EnvironRow {
  if (name === 'gateway.input')
    return { name, value: `RequestBody, ${describeBody(environ['gateway.input'])}`, special: true };
  if (name === 'gateway.errors') return { name, value: "ErrorSink, to the web server's error log", special: true };
  if (name === 'gateway.signal') return { name, value: 'AbortSignal, fires when the client leaves', special: true };
  if (typeof value !== 'string')
    return { name, value: Array.isArray(value) ? `[${value.join(', ')}]` : String(value), special: true };
  if (value === '') return { name, value: 'empty', special: true };
  const text = readable(value);
  if (text === value) return { name, value };
  const bytes = value.replace(/[^ -~]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return { name, value: text, note: `held as bytes: ${bytes}` };
}

function describeBody({ used, complete, length }: RequestBody): string {
  if (complete && !used) return 'empty';
  const size = length < 0 ? 'of unstated length' : `${length} ${length === 1 ? 'byte' : 'bytes'}`;
  return used ? `${size}, read` : size;
}

/** Bytes held as latin-1, as the UTF-8 text that they are; what is no UTF-8 stays as it is. */
export function readable(value: string): string {
  if (!/[\x80-\xff]/.test(value)) return value;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}
