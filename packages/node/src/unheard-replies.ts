/** Replies that were complete when their listeners returned, and that nobody listened to. */
let waiting: { completeUnheard(): void }[] = [];
const settled = Promise.resolve();

/** In one microtask for all of a turn: a tick for each reply costs several times as much. */
export function completeAtTurnEnd(reply: { completeUnheard(): void }): void {
  if (waiting.push(reply) === 1) settled.then(completeAll);
}

function completeAll(): void {
  const replies = waiting;
  waiting = [];
  for (const reply of replies) reply.completeUnheard();
}
