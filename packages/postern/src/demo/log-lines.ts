import { describeError, PosternError } from '@postern/core';

/** Quotes and backslashes stay: a careful back-end has made them safe already. */
const CONTROL = /[\x00-\x1f\x7f-\x9f]/g;

function escapeControl(control: string): string {
  return `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** What the app wrote for an error log, line by line, made safe for a terminal. */
export function appLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `app: ${line.replace(CONTROL, escapeControl)}`);
}

/** One line that tells why a request failed. */
export function errorLine(error: unknown): string {
  return error instanceof PosternError ? `${error.code}: ${error.message}` : `ERR_INTERNAL: ${describeError(error)}`;
}
