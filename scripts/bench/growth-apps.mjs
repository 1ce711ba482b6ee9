/** What is asked of servers/growth.mjs, and what must come back. */

const VALUE = 'a value of thirty characters, ';

/** Variables behind those that nginx sends. */
export function furtherVariables(count) {
  return Array.from({ length: count }, (_, i) => [`X_VARIABLE_${i}`, VALUE]);
}

/** Looks at each variable. */
export function variablesText(environ) {
  let count = 0;
  let length = 0;
  for (const name of Object.keys(environ)) {
    const value = environ[name];
    if (typeof value !== 'string' || !name.startsWith('X_VARIABLE_')) continue;
    count++;
    length += value.length;
  }
  return variablesAnswer(count, length);
}

export function variablesAnswer(count, length = count * VALUE.length) {
  return `${count} variables with ${length} characters\n`;
}

/** Milliseconds from event to event. */
const GAP = 500;

let number = 0;
let next = deferred();

function deferred() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Starts the events. */
export function tick() {
  const { resolve } = next;
  next = deferred();
  resolve(eventText(number++));
  setTimeout(tick, GAP);
}

export async function* events() {
  for (;;) yield await next.promise;
}

export function eventText(count) {
  return `data: this is event number ${String(count).padStart(8)}\n\n`;
}
