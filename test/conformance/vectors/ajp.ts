import { attributes } from './ajp/attributes.ts';
import { bodies } from './ajp/bodies.ts';
import { get } from './ajp/bytes.ts';
import { head } from './ajp/head.ts';
import { headers } from './ajp/headers.ts';
import { packets } from './ajp/packets.ts';
import type { Neighbour } from './run-vectors.ts';
import type { Vector } from './vector.ts';

export const ajpNeighbour: Neighbour = { request: get, keeps: true, ahead: false };

export const ajpVectors: readonly Vector[] = [...packets, ...head, ...headers, ...attributes, ...bodies];
