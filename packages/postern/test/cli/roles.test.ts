import { afterEach, describe, expect, it } from '@jest/globals';
import { askAs, unknownRole } from '../ask-role.ts';
import { cleanUp, folderWith, postern, serving } from './workshop.ts';

afterEach(cleanUp);

const app = 'export default (environ) => ({ status: 200, body: "app" });\n';
const authorizer = 'export const authorizer = (environ) => ({ allow: { USER: "joe" } });\n';
const filter =
  'export const filter = async (environ) => ({ status: 200, body: await environ["gateway.data"].text() });\n';
const allowed = 'Status: 200 OK\r\nVariable-USER: joe\r\n\r\n';

/** The one line and the exit code of a start that fails. */
async function refused(text: string, args: string[], env?: NodeJS.ProcessEnv): Promise<[string, number | null]> {
  const folder = folderWith({ 'app.mjs': text });
  const child = postern(folder, ['serve', 'app.mjs', ...args], env);
  const { code } = await child.ended();
  return [child.output().replace(folder, 'FOLDER'), code];
}

describe('postern serve', () => {
  it('serves the named exports authorizer and filter beside the default one, in their roles', async () => {
    const { address, child } = await serving(app + authorizer + filter);
    expect((await askAs('responder', address)).stdout).toMatch(/app$/);
    expect((await askAs('authorizer', address)).stdout).toBe(allowed);
    expect((await askAs('filter', address, { file: 'x' })).stdout).toMatch(/\r\n\r\nx$/);
    expect((await child.stop()).code).toBe(0);
  });

  it('says behind its addresses which roles it serves, where there are others than that of the app', async () => {
    for (const listen of ['fastcgi://127.0.0.1:0', 'auto://127.0.0.1:0']) {
      const { child } = await serving(app + authorizer + filter, ['--listen', listen]);
      await child.said(/^(?:listening [^\n]*\n){2}serving roles: responder, authorizer, filter\n$/);
    }
    const inObject = 'export default { fetch: () => new Response("app"), authorizer: (environ) => ({ allow: {} }) };';
    const { address, child } = await serving(inObject);
    await child.said(/^listening [^\n]*\nserving roles: responder, authorizer\n$/);
    expect((await askAs('authorizer', address)).stdout).toBe('Status: 200 OK\r\n\r\n');
  });

  it('says nothing of roles of an app alone, or where nobody can ask in them', async () => {
    const alone = await serving(app);
    expect((await alone.child.stop()).code).toBe(0);
    expect(alone.child.output()).toMatch(/^listening [^\n]*\n$/);
    const child = postern(folderWith({ 'app.mjs': app + authorizer }), [
      'serve',
      'app.mjs',
      '--listen',
      'scgi://127.0.0.1:0',
    ]);
    await child.said(/^listening /m);
    expect((await child.stop()).code).toBe(0);
    expect(child.output()).toMatch(/^listening [^\n]*\n$/);
  });

  it('serves a module with an authorizer alone, in that role alone', async () => {
    const { address } = await serving(authorizer);
    expect((await askAs('authorizer', address)).stdout).toBe(allowed);
    expect((await askAs('responder', address)).end).toBe(unknownRole);
  });

  it('serves those of a CommonJS module', async () => {
    const { address } = await serving(
      'module.exports = { app: (environ) => ({ status: 200, body: "app" }), authorizer: (environ) => ({ allow: {} }) };',
      [],
      'app.cjs',
    );
    expect((await askAs('responder', address)).stdout).toMatch(/app$/);
    expect((await askAs('authorizer', address)).stdout).toBe('Status: 200 OK\r\n\r\n');
  });

  it.each([['scgi://127.0.0.1:0'], ['http://127.0.0.1:0']])(
    'refuses to serve an authorizer alone on %s, with one line that says why',
    async (address) => {
      const [line, code] = await refused(authorizer, ['--listen', address]);
      expect(line).toBe(
        `ERR_ROLE: ${address.split(':')[0]} cannot serve an authorizer without an app: FastCGI alone has roles: listen on fastcgi://127.0.0.1:9000, or export an app too\n`,
      );
      expect(code).toBe(2);
    },
  );

  it('refuses it without --listen too, where an app would be served over HTTP', async () => {
    const [line, code] = await refused(authorizer + filter, []);
    expect([line, code]).toEqual([expect.stringMatching(/^ERR_ROLE: http cannot serve an authorizer and a filter/), 2]);
  });

  it('as a CGI program serves the app alone, and refuses a module without one', async () => {
    const cgi = { PATH: process.env.PATH, GATEWAY_INTERFACE: 'CGI/1.1', REQUEST_METHOD: 'GET', SCRIPT_NAME: '' };
    const [reply, code] = await refused(app + authorizer, [], cgi);
    expect([reply, code]).toEqual([expect.stringMatching(/^Status: 200 OK\r\n\r\napp$/), 0]);
    const [line, failed] = await refused(authorizer, [], cgi);
    expect(line).toContain('Status: 500 Internal Server Error');
    expect(line).toContain('ERR_ROLE: FOLDER/app.mjs exports no app: a CGI program is never asked as an authorizer');
    expect(failed).toBe(2);
  });

  it('tells which export cannot be served', async () => {
    const [line, code] = await refused(`${app}export const authorizer = new Map();`, [
      '--listen',
      'fastcgi://127.0.0.1:0',
    ]);
    expect(line).toMatch(
      /^ERR_APP_INTERFACE: authorizer of FOLDER\/app.mjs is an object of class Map[^\n]*; its name makes this export an authorizer: rename it where it is none\n$/,
    );
    expect(code).toBe(2);
  });
});
