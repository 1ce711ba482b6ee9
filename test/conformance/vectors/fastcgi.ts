import { plainGet, request } from '@postern/testkit';
import { bodyVectors } from './fastcgi/bodies.ts';
import { junkVectors } from './fastcgi/junk.ts';
import { managementVectors } from './fastcgi/management.ts';
import { paramsVectors } from './fastcgi/params.ts';
import { recordVectors } from './fastcgi/records.ts';
import { requestVectors } from './fastcgi/requests.ts';
import { variableVectors } from './fastcgi/variables.ts';
import type { Neighbour } from './run-vectors.ts';
import type { Vector } from './vector.ts';

/** With an id that no vector has. */
export const fastcgiNeighbour: Neighbour = {
  request: request(plainGet, { id: 900, flags: 1 }),
  keeps: true,
  ahead: true,
};

export const fastcgiVectors: readonly Vector[] = [
  ...recordVectors,
  ...managementVectors,
  ...requestVectors,
  ...paramsVectors,
  ...variableVectors,
  ...bodyVectors,
  ...junkVectors,
];
