import { fastcgiClient } from './generators/clients.ts';
import { fastcgiPairs } from './generators/pairs.ts';
import { holds } from './properties.ts';

holds('fastcgi-client', fastcgiClient);
holds('fastcgi-pairs', fastcgiPairs);
