import type { Neighbour } from './run-vectors.ts';
import { bodyVectors } from './scgi/body.ts';
import { netstringVectors } from './scgi/netstring.ts';
import { get } from './scgi/parts.ts';
import { variableVectors } from './scgi/variables.ts';
import type { Vector } from './vector.ts';

/** One request on a connection. */
export const scgiNeighbour: Neighbour = { request: get, keeps: false, ahead: false };

export const scgiVectors: readonly Vector[] = [...netstringVectors, ...variableVectors, ...bodyVectors];
