import { cgiReply } from './generators/clients.ts';
import { holds } from './properties.ts';

holds('cgi-reply', cgiReply);
