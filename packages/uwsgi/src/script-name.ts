import type { VariableNames } from '@postern/core';

/**
 * The values of a request with modifier 30: SCRIPT_NAME, without a slash at its end, is cut off the beginning of
 * PATH_INFO. Where PATH_INFO does not begin with it they stay as they are.
 */
export function withoutScriptName({ script, path }: VariableNames, values: readonly string[]): readonly string[] {
  if (script === -1 || path === -1) return values;
  const prefix = values[script].replace(/\/$/, '');
  const whole = values[path];
  if (whole !== prefix && !whole.startsWith(`${prefix}/`)) return values;
  const cut = [...values];
  cut[script] = prefix;
  cut[path] = whole.slice(prefix.length);
  return cut;
}
