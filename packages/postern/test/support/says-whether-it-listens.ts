// Prints twice whether descriptor 0 listens: asking must change nothing.
import { isListening } from '../../src/inherited-socket.ts';

process.stdout.write(`${isListening(0)} ${isListening(0)}`);
