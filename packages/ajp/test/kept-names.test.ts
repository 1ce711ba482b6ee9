import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { readForwardRequest } from '../src/head.ts';
import { peerOf } from '../src/peer.ts';
import { PayloadReader } from '../src/strings.ts';
import { forward } from './writer.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const MIB = 1_048_576;

it('names of fields are remembered without the requests that they came in', () => {
  const peer = peerOf({ packetSize: 65_536 });
  const limits = limitsWith({ maxValueBytes: 65_536 });
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 800; i++) {
    const headers = [`X-A-Name-Of-Its-Own-${i}`, 'x'.repeat(60_000)];
    readForwardRequest(new PayloadReader(forward({ headers }).subarray(4)), limits, peer).head.variables();
  }
  collect();
  expect((process.memoryUsage().heapUsed - before) / MIB).toBeLessThan(16);
});
