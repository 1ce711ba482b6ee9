/**
 * A copy of latin-1 text that may have been cut out of a longer one: who keeps it keeps neither that text nor what else is
 * in it.
 */
export function ownText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
