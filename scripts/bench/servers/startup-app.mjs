/** An environ application as small as can be: `postern serve startup-app.mjs`. */
export function app(_environ) {
  return { status: 200, headers: { 'content-type': 'text/plain', 'content-length': '12' }, body: 'hello world\n' };
}
