/** What web servers go by when they decide whether a reply waits until there is more of it. */

const MARK = 'X-Accel-Buffering';

/** @param headers flat [name, value, …] */
export function isEventStream(headers: readonly string[]): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    if (name.length === 12 && name.toLowerCase() === 'content-type')
      return /^text\/event-stream\b/i.test(headers[i + 1]);
  }
  return false;
}

/**
 * The headers of a reply that is not to be held back. nginx collects a reply, its head too, unless it is told so here. It
 * may stand in front of the web server that asked, so the mark goes to each. What the application says of it stands.
 */
export function unbuffered(headers: string[]): string[] {
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i].length === MARK.length && headers[i].toLowerCase() === 'x-accel-buffering') return headers;
  return [...headers, MARK, 'no'];
}
