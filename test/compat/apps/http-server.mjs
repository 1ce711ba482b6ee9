// An http.Server that does not listen is served too: here Express 5 is its listener.
import { createServer } from 'node:http';
import app from './express5.mjs';

export default createServer(app);
