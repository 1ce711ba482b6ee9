import { describe } from '@jest/globals';
import { runVectors } from './run-vectors.ts';
import { scgiNeighbour, scgiVectors } from './scgi.ts';

describe('SCGI', () => {
  runVectors('scgi', scgiVectors, scgiNeighbour);
});
