// Prints the environment that the process was started with, as JSON.
import { initialEnvironment } from '../../src/cgi-environment.ts';

process.env.LATER = 'not of the start';
process.stdout.write(JSON.stringify(initialEnvironment()));
