import { ConfigError } from '@postern/core';
import { isNodeApp } from './app-kinds.ts';

/** What an application can be exported as, in this order. */
const exportNames = ['default', 'app', 'handler'] as const;

/**
 * The application of a loaded module: its default export, `app`, or `handler`; of CommonJS `module.exports` itself, or
 * one of these three in it. It is wrapped, for an application may look like a promise without being one.
 * @throws ConfigError ERR_APP_EXPORT
 */
export function pickExport(namespace: object, module: string): { app: unknown } {
  const exports = namespace as Record<string, unknown>;
  for (const name of exportNames) {
    const value = exports[name];
    if (!canBeServed(value)) continue;
    if (name !== 'default' || !isPlain(value)) return { app: value };
    const inner = pickFrom(value);
    if (inner !== undefined) return { app: inner };
    if (isNodeApp(value)) return { app: value };
  }
  const names = Object.keys(exports).filter((name) => name !== 'module.exports');
  throw new ConfigError(
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
