import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProgram } from '../programs.mjs';
import { findProgram, serverOf } from './find.mjs';

const source = fileURLToPath(new URL('./Hello.java', import.meta.url));

/** Where Debian's packages put Tomcat, and the compiler that its JSPs need: no JDK has to be there. */
const TOMCAT = '/usr/share/tomcat10';
const COMPILER = '/usr/share/java/eclipse-jdt-core.jar';

/** Its compilers take longer than others', in milliseconds. */
export const warmUp = 8000;

export function absent() {
  const jars = [`${TOMCAT}/lib/servlet-api.jar`, COMPILER].every((jar) => existsSync(jar));
  return jars && findProgram('java') !== undefined ? undefined : 'Tomcat 10 is not installed';
}

/** @throws Error the compiler's words */
export async function start(_target, connections, context) {
  const { folder } = context;
  const inside = join(folder, 'webapps/ROOT/WEB-INF');
  for (const part of [join(inside, 'classes'), join(folder, 'conf'), join(folder, 'temp')])
    mkdirSync(part, { recursive: true });
  const { status, stdout, stderr } = spawnSync(
    findProgram('java'),
    [
      ...['-jar', COMPILER, '-17', '-nowarn', '-proc:none', '-cp', `${TOMCAT}/lib/servlet-api.jar`],
      ...['-d', join(inside, 'classes'), source],
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`Hello.java cannot be compiled:\n${stdout}${stderr}`);
  writeFileSync(join(folder, 'conf/server.xml'), serverXml(connections));
  writeFileSync(join(inside, 'web.xml'), WEB_XML);
  const args = [
    ...['-Xmx256m', '-XX:+UseSerialGC', '-Duser.language=en'],
    ...['-cp', `${TOMCAT}/bin/bootstrap.jar:${TOMCAT}/bin/tomcat-juli.jar`],
    ...[`-Dcatalina.home=${TOMCAT}`, `-Dcatalina.base=${folder}`, `-Djava.io.tmpdir=${join(folder, 'temp')}`],
    ...['org.apache.catalina.startup.Bootstrap', 'start'],
  ];
  const program = await startProgram(findProgram('java'), args, { ready: /Server startup in/ }, context);
  // such as: Starting ProtocolHandler ["ajp-nio-127.0.0.1-auto-1-40001"]
  const port = Number(/Starting ProtocolHandler \["ajp-[^"]*-([0-9]+)"\]/.exec(program.output)?.[1]);
  return serverOf(program, context, { address: { host: '127.0.0.1', port } });
}

const WEB_XML = `<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0" metadata-complete="true">
<absolute-ordering/>
<servlet><servlet-name>hello</servlet-name><servlet-class>Hello</servlet-class></servlet>
<servlet-mapping><servlet-name>hello</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>
</web-app>
`;

function serverXml(connections) {
  return `<Server port="-1">
<Service name="Catalina">
<Connector protocol="AJP/1.3" address="127.0.0.1" port="0" secretRequired="false" maxThreads="${connections + 4}"/>
<Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps"/></Engine>
</Service>
</Server>
`;
}
