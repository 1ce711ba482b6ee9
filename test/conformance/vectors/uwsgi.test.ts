import { describe } from '@jest/globals';
import { runVectors } from './run-vectors.ts';
import { uwsgiNeighbour, uwsgiVectors } from './uwsgi.ts';

describe('uwsgi', () => {
  runVectors('uwsgi', uwsgiVectors, uwsgiNeighbour);
});
