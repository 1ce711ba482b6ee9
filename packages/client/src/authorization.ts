import type { Answer } from './request.ts';

/** What an authorizer says of a request (FastCGI 1.0 §6.3). */
export interface Authorization {
  readonly allowed: boolean;
  /** Of a request that is allowed: flat [name, value, …], what is to stand beside its own variables. */
  readonly variables: string[];
}

/**
 * Reads the answer of an authorizer: 200 allows, and a header `Variable-NAME` is a variable. Any other answer is meant for
 * the one who asked, whole. The body of one that allows means nothing: `cancel` it.
 */
export function readAuthorization({ status, headers }: Pick<Answer, 'status' | 'headers'>): Authorization {
  const variables: string[] = [];
  const allowed = status === 200;
  for (let i = 0; allowed && i < headers.length; i += 2) {
    const name = /^variable-(.+)$/i.exec(headers[i])?.[1];
    if (name !== undefined) variables.push(name, headers[i + 1]);
  }
  return { allowed, variables };
}
