import { clients } from './clients.ts';
import { readers } from './readers.ts';
import { servers } from './servers.ts';
import type { Target } from './target.ts';

/** Every decoder that reads what another process sends. */
export const targets: readonly Target[] = [...servers, ...clients, ...readers];
export { countCalls, countStatements } from './cost.ts';
export { Broken, inputOf, MANNER, partsOf, run, type Target } from './target.ts';
