import { ByteWriter } from '@postern/wire';
import { broken } from './client-rules.ts';
import { RecordType } from './constants.ts';
import { readPairs, writePair } from './params.ts';
import { recordText } from './records.ts';

/** FastCGI 1.0 §4.1 */
const names = ['FCGI_MAX_CONNS', 'FCGI_MAX_REQS', 'FCGI_MPXS_CONNS'];

/** GET_VALUES for each of the names. */
export function askValues(): Buffer {
  const pairs = new ByteWriter();
  for (const name of names) writePair(pairs, name, '');
  return Buffer.from(recordText(RecordType.GET_VALUES, 0, pairs.view().toString('latin1')), 'latin1');
}

/**
 * What an application says of itself.
 * @returns flat [name, value, …] of the names that were asked for; and how many requests one connection carries at once:
 * without FCGI_MAX_REQS as many as there are ids
 * @throws RemoteProtocolError ERR_REPLY: the pairs are malformed
 */
export function readValues(content: Buffer): { values: string[]; atOnce: number } {
  const found = new Map<string, string>();
  try {
    readPairs(content, (name, value) => {
      if (names.includes(name)) found.set(name, value);
    });
  } catch {
    broken('the pairs of GET_VALUES_RESULT are malformed');
  }
  const most = found.get('FCGI_MAX_REQS') ?? '65535';
  const atOnce = found.get('FCGI_MPXS_CONNS') === '1' && /^[0-9]{1,9}$/.test(most) ? Math.max(1, Number(most)) : 1;
  return { values: [...found].flat(), atOnce };
}
