import { expect } from '@jest/globals';
import { begin, pairs, params, plainGet, request, stdin, type Variables } from '@postern/testkit';
import { complete, ok, type Served, type Serving, serve, served } from './serving.ts';

// What the rows of the project's list of bad inputs are made of, and their outcomes by the names they have there.

export const ENV = pairs(plainGet);
export const G1 = request();
export const kept = request(plainGet, { flags: 1 });

export function bytes(...parts: Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

export function withVariables(more: Variables, body = ''): Buffer {
  const list = Array.isArray(more) ? more : Object.entries(more);
  return request([...Object.entries(plainGet), ...list], { body });
}

export function withContent(content: Uint8Array): Buffer {
  return bytes(begin(), params(content), params(), stdin());
}

/** Served alone, and behind a request on a kept connection: what is wrong must be wrong there too. */
export function both(input: Uint8Array, serving: Serving = {}): Served {
  const alone = served(input, serving);
  const behind = serve([bytes(kept, input)], serving);
  expect(behind.errors).toEqual(alone.errors);
  expect(behind.asked.slice(1)).toEqual(alone.asked);
  expect(behind.close).toBe(alone.close);
  return alone;
}

export function closes(code: string, input: Uint8Array, serving?: Serving): void {
  expect(both(input, serving)).toMatchObject({ asked: [], errors: [code], output: '', close: 'reset' });
}

export function answers(status: number, code: string, input: Uint8Array, serving?: Serving): void {
  const outcome = both(input, serving);
  expect(outcome).toMatchObject({ asked: [], errors: [`${code} ${status} 1`], close: 'fin', others: [] });
  expect(outcome.replies).toEqual([
    {
      id: 1,
      stdout: expect.stringMatching(new RegExp(`^Status: ${status} `)),
      stderr: '',
      closed: true,
      end: complete,
    },
  ]);
}

export function serves(input: Uint8Array, serving?: Serving): Served['asked'][number] {
  const outcome = both(input, serving);
  expect(outcome).toMatchObject({ errors: [], replies: [ok()], others: [] });
  expect(outcome.asked).toHaveLength(1);
  return outcome.asked[0];
}
