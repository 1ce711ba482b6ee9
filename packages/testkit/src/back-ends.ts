import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { temporaryFolder } from './front-ends.ts';

/** A real back-end on ports of its own, in a temporary folder. */
export interface BackEnd<Ports> {
  readonly ports: Ports;
  readonly child: Child;
  stop(): Promise<void>;
}

async function backEnd<Ports>(
  folder: { path: string; remove(): void },
  child: Child,
  started: RegExp,
  ports: (output: string) => Ports,
): Promise<BackEnd<Ports>> {
  const stop = async (): Promise<void> => {
    await child.stop();
    folder.remove();
  };
  try {
    await child.said(started);
    return { ports: ports(child.output()), child, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Where Debian's packages put Tomcat, and the compiler that its JSPs need: no JDK has to be there. */
const TOMCAT = '/usr/share/tomcat10';
const SERVLET_API = `${TOMCAT}/lib/servlet-api.jar`;
const COMPILER = '/usr/share/java/eclipse-jdt-core.jar';

/** For a few seconds: what takes long to warm up is left out. The log is read, so it is English everywhere. */
const JVM = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Duser.language=en'];

/**
 * Tomcat in the foreground, with one servlet for every path.
 * @param servlet a Java file, whose class has its name
 * @param connectors what stands in the Connector element of each AJP connector, ports apart
 */
export async function startTomcat(servlet: string, connectors: readonly string[]): Promise<BackEnd<number[]>> {
  const folder = temporaryFolder();
  const { path } = folder;
  const inside = join(path, 'webapps/ROOT/WEB-INF');
  const name = basename(servlet, '.java');
  for (const part of [join(inside, 'classes'), join(path, 'conf'), join(path, 'temp')])
    mkdirSync(part, { recursive: true });
  const compiler = startChild('java', [
    ...JVM,
    ...['-jar', COMPILER, '-17', '-nowarn', '-proc:none', '-cp', SERVLET_API, '-d', join(inside, 'classes'), servlet],
  ]);
  if ((await compiler.ended()).code !== 0) {
    folder.remove();
    throw new Error(`${servlet} cannot be compiled:\n${compiler.output()}`);
  }
  writeFileSync(join(path, 'conf/server.xml'), serverXml(connectors));
  writeFileSync(
    join(inside, 'web.xml'),
    `<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0" metadata-complete="true">
<absolute-ordering/>
<servlet><servlet-name>peer</servlet-name><servlet-class>${name}</servlet-class></servlet>
<servlet-mapping><servlet-name>peer</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>
</web-app>
`,
  );
  const child = startChild('java', [
    ...JVM,
    ...['-cp', `${TOMCAT}/bin/bootstrap.jar:${TOMCAT}/bin/tomcat-juli.jar`],
    `-Dcatalina.home=${TOMCAT}`,
    `-Dcatalina.base=${path}`,
    `-Djava.io.tmpdir=${join(path, 'temp')}`,
    ...['org.apache.catalina.startup.Bootstrap', 'start'],
  ]);
  return backEnd(folder, child, /Server startup in/, (output) =>
    // such as: Starting ProtocolHandler ["ajp-nio-127.0.0.1-auto-1-40001"]
    [...output.matchAll(/Starting ProtocolHandler \["ajp-[^"]*-([0-9]+)"\]/g)].map((match) => Number(match[1])),
  );
}

function serverXml(connectors: readonly string[]): string {
  const elements = connectors.map(
    (attributes) => `<Connector protocol="AJP/1.3" address="127.0.0.1" port="0" ${attributes}/>`,
  );
  return `<Server port="-1">
<Service name="Catalina">
${elements.join('\n')}
<Engine name="Catalina" defaultHost="localhost">
<Host name="localhost" appBase="webapps"/>
</Engine>
</Service>
</Server>
`;
}

export type UwsgiPorts = Record<'uwsgi' | 'scgi' | 'fastcgi', number>;

/**
 * uWSGI in the foreground, one worker, with a WSGI application on every protocol that we have a client for.
 * @param application a Python file
 * @param options more of the command line
 */
export async function startUwsgi(application: string, options: readonly string[] = []): Promise<BackEnd<UwsgiPorts>> {
  const folder = temporaryFolder();
  const { path } = folder;
  // Python may write its cache beside the file
  copyFileSync(application, join(path, 'app.py'));
  const child = startChild(
    'uwsgi-core',
    [
      ...['--plugins', 'python3', '--wsgi-file', 'app.py', '--need-app', '--die-on-term'],
      ...['--processes', '1', '--threads', '2'],
      ...['--socket', '127.0.0.1:0', '--scgi-socket', '127.0.0.1:0', '--fastcgi-socket', '127.0.0.1:0'],
      ...options,
    ],
    { cwd: path },
  );
  return backEnd(folder, child, /spawned uWSGI worker/, (output) => {
    // in the order of the options, such as: uwsgi socket 0 bound to TCP address 127.0.0.1:40001 (port auto-assigned)
    const [uwsgi, scgi, fastcgi] = [...output.matchAll(/bound to TCP address 127\.0\.0\.1:([0-9]+)/g)].map((match) =>
      Number(match[1]),
    );
    return { uwsgi, scgi, fastcgi };
  });
}

/** PHP-FPM's program has its version in its name. */
const PHP_VERSIONS = ['8.2', '8.3', '8.4'];

/**
 * PHP-FPM in the foreground on a unix socket, with two workers and no php.ini.
 * @param settings of PHP, such as `cgi.rfc2616_headers=1`
 * @returns the path of the socket
 */
export async function startPhpFpm(settings: readonly string[] = []): Promise<BackEnd<string>> {
  const version = PHP_VERSIONS.find((one) => existsSync(`/usr/sbin/php-fpm${one}`));
  const folder = temporaryFolder();
  const socket = join(folder.path, 'fpm.sock');
  const pool = ['[www]', `listen = ${socket}`, 'pm = static', 'pm.max_children = 2'];
  const conf = join(folder.path, 'fpm.conf');
  const lines = ['[global]', `error_log = ${folder.path}/fpm.log`, 'daemonize = no', ...pool];
  writeFileSync(conf, `${lines.join('\n')}\n`);
  // -O: its words come here; -R: root may run it, and has no meaning for others
  const child = startChild(`/usr/sbin/php-fpm${version ?? ''}`, [
    ...['-F', '-O', '-R', '-n', '-y', conf],
    ...settings.flatMap((setting) => ['-d', setting]),
  ]);
  return backEnd(folder, child, /ready to handle connections/, () => socket);
}

/**
 * A Perl program that serves with libfcgi on a unix socket, one request at a time.
 * @param program it is called with the path of the socket
 * @returns the path of the socket
 */
export async function startPerlFcgi(program: string): Promise<BackEnd<string>> {
  const folder = temporaryFolder();
  const socket = join(folder.path, 'perl.sock');
  return backEnd(folder, startChild('perl', [program, socket]), /listening/, () => socket);
}
