import { ServerResponse } from 'node:http';

type Callback = () => void;

/**
 * A reply without interim ones in front of it, but for a 100 that was asked for. nginx 1.22 takes one over HTTP/1.1 for the
 * head of the reply, and the client waits in vain.
 */
export class FinalResponse extends ServerResponse {
  override writeContinue(callback?: Callback): void {
    if (this.req.headers.expect === undefined) notWritten(callback);
    else super.writeContinue(callback);
  }

  override writeProcessing(callback?: Callback): void {
    notWritten(callback);
  }

  override writeEarlyHints(_hints: Record<string, string | string[]>, callback?: Callback): void {
    notWritten(callback);
  }
}

function notWritten(callback: Callback | undefined): void {
  if (typeof callback === 'function') process.nextTick(callback);
}
