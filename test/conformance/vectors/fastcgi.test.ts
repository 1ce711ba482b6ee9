import { describe } from '@jest/globals';
import { fastcgiNeighbour, fastcgiVectors } from './fastcgi.ts';
import { runVectors } from './run-vectors.ts';

describe('FastCGI', () => {
  runVectors('fastcgi', fastcgiVectors, fastcgiNeighbour);
});
