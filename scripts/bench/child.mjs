/**
 * One server in a process of its own: `node child.mjs NAME TARGET`, the target as JSON (see servers/listen.mjs). It tells
 * where to connect to, and its CPU time whenever it is sent something.
 */
const [name, target] = process.argv.slice(2);
const { listen } = await import(`./servers/${name}.mjs`);

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({ cpu: user + system });
});
process.on('disconnect', () => process.exit());

process.send({ address: await listen(JSON.parse(target)) });
