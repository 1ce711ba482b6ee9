import type { Neighbour } from './run-vectors.ts';
import { packetVectors } from './uwsgi/packet.ts';
import { baseline } from './uwsgi/parts.ts';
import { variableVectors } from './uwsgi/variables.ts';
import type { Vector } from './vector.ts';

/** One request on a connection. */
export const uwsgiNeighbour: Neighbour = { request: baseline, keeps: false, ahead: false };

export const uwsgiVectors: readonly Vector[] = [...packetVectors, ...variableVectors];
