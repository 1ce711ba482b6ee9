import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';
import { parseAddress } from '../../packages/postern/src/address.ts';
import { nginxConfig } from '../../packages/postern/src/config/nginx.ts';
import { type FrontEnd, type Served, servePostern, startNginx } from '../../packages/testkit/src/index.ts';

const BROWSER = '/usr/bin/chromium';

async function launch(): Promise<Browser> {
  if (!existsSync(BROWSER))
    throw new Error(
      `there is no ${BROWSER}, which this test drives: apt-get install chromium, or run npm test once as root`,
    );
  // the sandbox of Chromium cannot be had as root
  const args = ['--disable-gpu', '--disable-dev-shm-usage', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])];
  return chromium.launch({ executablePath: BROWSER, args });
}

function said(page: Page, text: string): Promise<void> {
  return page.locator('li', { hasText: text }).waitFor();
}

async function say(page: Page, text: string): Promise<void> {
  await page.locator('input').fill(text);
  await page.locator('button').click();
}

describe.each(['scgi', 'uwsgi'])('a chat page behind nginx over %s, in Chromium', (protocol) => {
  let app: Served;
  let nginx: FrontEnd;
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch();
    app = await servePostern('docs/examples/chat.mjs', [`${protocol}://127.0.0.1:0`]);
    const { target } = parseAddress(app.addresses[0], 'connect');
    nginx = await startNginx((port) =>
      nginxConfig(protocol, target).replace('listen 80;', `listen 127.0.0.1:${port};`),
    );
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await nginx?.stop();
    await app?.child.stop();
  });

  async function openTab(): Promise<Page> {
    const page = await browser.newPage();
    const opened = page.waitForEvent('websocket');
    await page.goto(`http://127.0.0.1:${nginx.port}/`);
    await opened;
    await page.waitForFunction('socket.readyState === WebSocket.OPEN');
    return page;
  }

  it('shows in each of two tabs what the other says', async () => {
    const [ann, ben] = [await openTab(), await openTab()];
    await say(ann, 'hello from Ann');
    await Promise.all([said(ann, 'hello from Ann'), said(ben, 'hello from Ann')]);
    await say(ben, 'grüße von Ben ✓');
    await Promise.all([said(ann, 'grüße von Ben ✓'), said(ben, 'grüße von Ben ✓')]);
    expect(await ann.locator('li').allTextContents()).toEqual(['hello from Ann', 'grüße von Ben ✓']);
    expect(await ben.locator('li').allTextContents()).toEqual(['hello from Ann', 'grüße von Ben ✓']);
    await ann.close();
    await say(ben, 'alone');
    await said(ben, 'alone');
    await ben.close();
  });

  it('tells the page when the app goes away', async () => {
    const page = await openTab();
    await app.child.stop('SIGKILL');
    await said(page, 'the chat is over');
    expect(await page.evaluate('socket.readyState === WebSocket.CLOSED')).toBe(true);
  });
});
