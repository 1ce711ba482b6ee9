// npm start: installs and builds what is missing, then runs the demo, or serves your app.
import { fileURLToPath } from 'node:url';
import { prepare } from './lib/prepare.mjs';

const help = `Examples:
  npm start
  npm start -- --port 9090
  npm start -- ./app.mjs --listen fastcgi+unix:/tmp/app.sock

Without an app: the demo. It serves a page that shows the environ of its request over FastCGI, with a small front-end on
http://127.0.0.1:8080, so that no web server is needed.
  --port N    the port of the front-end; 0: any free one

With an app: the same as "postern serve", from the folder where npm was called.
  npm start -- ./app.mjs --help    shows all of its flags

What is missing is installed (npm install) and built (npm run build) first. SIGINT and SIGTERM stop it.
`;

const args = process.argv.slice(2);
/** Without a module there is nothing to serve but the demo. */
const demo = args.length === 0 || args[0] === '--port' || args[0].startsWith('--port=');

/** npm gives a signal to its shell alone, which dies of it without a word: whoever loses its parent was meant. */
function stopWithNpm() {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  watch.unref();
  // who got the signal as well, as from a terminal, must not get a second one, which would cut what runs
  const heard = (signal) => {
    clearInterval(watch);
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  process.once('SIGINT', heard);
  process.once('SIGTERM', heard);
}

const byNpm = process.env.npm_lifecycle_event === 'start';
if (args[0] === '--help' || args[0] === '-h') process.stdout.write(help);
else {
  if (byNpm) stopWithNpm();
  await prepare({ projects: ['packages/postern'] });
  if (demo) {
    const { runDemo } = await import(new URL('../packages/postern/dist/demo/main.js', import.meta.url).href);
    process.exit(await runDemo(args));
  }
  // the same process from here on: signals reach it, and its exit code is ours
  if (byNpm && process.env.INIT_CWD) process.chdir(process.env.INIT_CWD);
  const cli = new URL('../packages/postern/bin/postern.js', import.meta.url);
  process.argv.splice(1, 1, fileURLToPath(cli), 'serve');
  await import(cli.href);
}
