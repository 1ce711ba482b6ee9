import { describe } from '@jest/globals';
import { httpVectors } from './http/rows.ts';
import { runHttpVectors } from './http/run-http.ts';

describe('HTTP', () => {
  runHttpVectors(httpVectors);
});
