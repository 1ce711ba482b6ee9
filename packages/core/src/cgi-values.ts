import { LocalProtocolError, printable, RemoteProtocolError } from './errors.ts';
import { Rule, type VariableNames } from './variable-names.ts';

const FORBIDDEN = /[\0\r\n]/;

/** @throws RemoteProtocolError ERR_ENV_VALUE (400): NUL anywhere, CR or LF in a header */
export function checkValues({ names, rules }: VariableNames, values: readonly string[]): void {
  for (let i = 0; i < values.length; i++) {
    const found = FORBIDDEN.exec(values[i]);
    if (found !== null && (rules[i] === Rule.header || values[i].includes('\0'))) {
      throw new RemoteProtocolError('ERR_ENV_VALUE', `the value of ${names[i]} holds ${printable(found[0])}`, {
        scope: 'request',
      });
    }
  }
}

/**
 * A variable as a client may send it.
 * @throws LocalProtocolError ERR_ENV_VALUE: the name is empty or has a byte that no name may have, the value holds NUL or
 * a character that is no byte, or that of a header holds CR or LF
 */
export function checkVariable(name: string, value: string): void {
  const isHeader = name.startsWith('HTTP_') || name === 'CONTENT_TYPE';
  if (!/^[!-<>-~]+$/.test(name) || (isHeader ? /[\0\r\n\u0100-\uffff]/ : /[\0\u0100-\uffff]/).test(value))
    throw new LocalProtocolError('ERR_ENV_VALUE', `variable ${JSON.stringify(name)} cannot be sent`);
}
