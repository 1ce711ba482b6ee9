import { ConfigError, LocalProtocolError } from '@postern/core';
import type { Question } from './request.ts';

/**
 * What no protocol can send, before anything of it is sent.
 * @throws LocalProtocolError ERR_ENV_PAIR, ERR_ENV_VALUE: `variables` are no pairs of strings; ERR_PROTOCOL_LACKS: a stream
 * that the role does not have; ConfigError ERR_OPTION: a stream is neither bytes nor async iterable
 */
export function checkQuestion({ role = 'responder', variables, body, data }: Question): void {
  checkPairs(variables);
  checkStream('body', body);
  checkStream('data', data);
  if (role === 'authorizer' && !isEmpty(body))
    throw new LocalProtocolError('ERR_PROTOCOL_LACKS', 'an authorizer gets no body: leave body out');
  if (role !== 'filter' && data !== undefined)
    throw new LocalProtocolError('ERR_PROTOCOL_LACKS', `a ${role} gets no data: leave data out, or see role`);
}

function checkPairs(variables: readonly string[]): void {
  if (!Array.isArray(variables) || variables.length % 2 !== 0) {
    const what = Array.isArray(variables) ? `${variables.length} strings` : kindOf(variables);
    throw new LocalProtocolError('ERR_ENV_PAIR', `variables: ${what}: write ['NAME', 'value', 'NAME', 'value']`);
  }
  for (let i = 0; i < variables.length; i++) {
    if (typeof variables[i] === 'string') continue;
    const what = i % 2 === 0 ? `the name at place ${i}` : `the value of ${variables[i - 1]}`;
    throw new LocalProtocolError('ERR_ENV_VALUE', `variables: ${what} is ${kindOf(variables[i])}: write a string`);
  }
}

function checkStream(name: string, stream: unknown): void {
  if (stream === undefined || stream instanceof Uint8Array) return;
  if (typeof (stream as Partial<AsyncIterable<unknown>> | null)?.[Symbol.asyncIterator] === 'function') return;
  throw notBytes(name, stream);
}

/** The error of what is no bytes where bytes are due. */
export function notBytes(name: string, found: unknown): ConfigError {
  const hint = typeof found === 'string' ? 'Buffer.from(text)' : 'a Uint8Array';
  const rest = name === 'body' || name === 'data' ? ', an async iterable of such, or leave it out' : '';
  return new ConfigError('ERR_OPTION', `${name}: ${kindOf(found)}: write ${hint}${rest}`);
}

function isEmpty(stream: Question['body']): boolean {
  return stream === undefined || (stream instanceof Uint8Array && stream.length === 0);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? `an object (${value.constructor?.name ?? 'no class'})` : `a ${typeof value}`;
}
