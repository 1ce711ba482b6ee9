import { type Limits, RemoteProtocolError } from '@postern/core';
import { ByteWriter } from '@postern/wire';
import { RecordType } from './constants.ts';
import { unknownType } from './layouts.ts';
import { readPairs, writePair } from './params.ts';
import { recordText } from './records.ts';

/**
 * The answer to GET_VALUES (FastCGI 1.0 §4.1): each known name that was asked for, once, in one record.
 * @throws RemoteProtocolError ERR_FCGI_RECORD: the pairs are malformed
 */
export function valuesResult(content: Buffer, limits: Limits): string {
  const known = new Map([
    ['FCGI_MAX_CONNS', String(limits.maxConnections)],
    ['FCGI_MAX_REQS', String(limits.maxConcurrentPerConnection)],
    ['FCGI_MPXS_CONNS', limits.maxConcurrentPerConnection > 1 ? '1' : '0'],
  ]);
  const asked = new Set<string>();
  try {
    readPairs(content, (name) => {
      if (known.has(name)) asked.add(name);
    });
  } catch {
    throw new RemoteProtocolError('ERR_FCGI_RECORD', 'the pairs of GET_VALUES are malformed');
  }
  const result = new ByteWriter();
  for (const name of asked) writePair(result, name, known.get(name) as string);
  return recordText(RecordType.GET_VALUES_RESULT, 0, result.view().toString('latin1'));
}

/** The answer to a management record of a type that does not exist (§4.2). */
export function unknownTypeAnswer(type: number): string {
  return recordText(RecordType.UNKNOWN_TYPE, 0, unknownType.write({ type }).toString('latin1'));
}
