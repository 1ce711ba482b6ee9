/** Reads the body of a request, and answers with it. */
export async function app(environ) {
  const body = await environ['gateway.input'].bytes(Number.MAX_SAFE_INTEGER);
  return { status: 200, headers: { 'Content-Type': 'text/plain' }, body };
}
