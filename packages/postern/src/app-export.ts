import { ConfigError } from '@postern/core';
import { isNodeApp } from './app-kinds.ts';
import type { RoleExports } from './roles.ts';

/** What an application can be exported as, in this order. */
const exportNames = ['default', 'app', 'handler'] as const;

/**
 * What a loaded module gives to be served. Its application is the default export, `app`, or `handler`; of CommonJS
 * `module.exports` itself, or one of these three in it; beside it, or alone, `authorizer` and `filter`. It is wrapped,
 * for an application may look like a promise without being one.
 * @throws ConfigError ERR_APP_EXPORT
 */
export function pickExports(namespace: object, module: string): RoleExports {
  const exports = namespace as Record<string, unknown>;
  const bag = isPlain(exports.default) ? exports.default : {};
  const authorizer = exports.authorizer ?? bag.authorizer;
  const filter = exports.filter ?? bag.filter;
  const app = pickApp(exports);
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
