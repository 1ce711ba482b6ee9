import { ajpClient } from './generators/clients.ts';
import { ajpServer } from './generators/servers.ts';
import { holds } from './properties.ts';

holds('ajp-server', ajpServer);
holds('ajp-client', ajpClient);
