import { expect, it } from '@jest/globals';
import { Load } from '../src/load.ts';

it('a request runs until it is over; one that was given up, until its promise settles', async () => {
  const load = new Load();
  let settle: () => void = () => {};
  const work = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const failing = Promise.reject(new Error('given up'));
  for (let i = 0; i < 5; i++) load.begin();
  expect(load).toMatchObject({ begun: 5, running: 5 });
  load.over(undefined, false);
  load.over(undefined, true);
  load.over(work, false);
  expect(load.running).toBe(2);
  load.over(work, true);
  load.over(failing, true);
  expect(load.running).toBe(2);
  settle();
  await new Promise((resolve) => setImmediate(resolve));
  expect(load).toMatchObject({ begun: 5, running: 0 });
});
