import { ConfigError, isThenable } from '@postern/core';
import { isNodeApp } from './app-kinds.ts';
import type { RoleExports } from './roles.ts';

/** What an application can be exported as, in this order. */
const exportNames = ['default', 'app', 'handler'] as const;

/**
 * What a loaded module gives to be served. Its application is the default export, `app`, or `handler`; of CommonJS
 * `module.exports` itself, or one of these three in it; beside it, or alone, `authorizer` and `filter`, by name or as
 * properties of a default export that is an object. It is wrapped, for an application may look like a promise without
 * being one.
 * @throws ConfigError ERR_APP_EXPORT
 */
export function pickExports(namespace: object, module: string): RoleExports {
  const exports = namespace as Record<string, unknown>;
  const app = pickApp(exports);
  const authorizer = pickBeside(exports, 'authorizer', app);
  const filter = pickBeside(exports, 'filter', app);
  if (app === undefined && authorizer === undefined && filter === undefined) throw nothingIn(exports, module);
  return { app, authorizer, filter };
}

function pickApp(exports: Record<string, unknown>): unknown {
  for (const name of exportNames) {
    const value = exports[name];
    if (!canBeServed(value)) continue;
    if (name !== 'default' || !isPlain(value)) return value;
    const inner = pickFrom(value);
    if (inner !== undefined) return inner;
    if (isNodeApp(value)) return value;
  }
  return undefined;
}

/** A name like `filter` may be that of anything: beside an application what is plain data is no role. */
function pickBeside(exports: Record<string, unknown>, name: 'authorizer' | 'filter', app: unknown): unknown {
  const found = exports[name] ?? ownOf(exports.default, name) ?? ownOf(ownOf(exports.default, 'default'), name);
  return app !== undefined && isData(found) ? undefined : found;
}

/** Of a function, or an object of a framework, a property that happens to have this name may be anything. */
function ownOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || isNodeApp(value) || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

function isData(value: unknown): boolean {
  if (!canBeServed(value)) return true;
  return Array.isArray(value) || (isPlain(value) && !isThenable(value) && !isNodeApp(value));
}

function nothingIn(exports: object, module: string): ConfigError {
  const names = Object.keys(exports).filter((name) => name !== 'module.exports');
  return new ConfigError(
    'ERR_APP_EXPORT',
    `${module} exports ${names.length === 0 ? 'nothing' : `no application (but ${names.join(', ')})`}: export it as default, app or handler`,
  );
}

function pickFrom(bag: Record<string, unknown>): unknown {
  for (const name of exportNames) if (canBeServed(bag[name])) return bag[name];
  return undefined;
}

function canBeServed(value: unknown): boolean {
  return typeof value === 'function' || (typeof value === 'object' && value !== null);
}

/** `module.exports` may be an application, or hold one by name. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || typeof (value as { fetch?: unknown }).fetch === 'function')
    return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || '__esModule' in value;
}
