import { describe, expect, it } from '@jest/globals';
import { abort, stdin } from '@postern/testkit';
import { head, open, post, receive, whole } from './driving.ts';
import { server } from './serving.ts';

describe('what a web server does amiss without harm', () => {
  const excess = { code: 'ERR_BODY_EXCESS' };
  const concurrent = { code: 'ERR_FCGI_CONCURRENT' };

  it.each<[string, Uint8Array[], object]>([
    ['STDIN behind CONTENT_LENGTH', [post(1, 2), stdin('abc')], excess],
    ['a further record of STDIN behind CONTENT_LENGTH', [post(1, 2), stdin('ab'), stdin('c')], excess],
    ['STDIN of a request without a body', [open(1), stdin('a')], excess],
    ['a request too many', [open(1), open(2), open(3)], concurrent],
    ['more than one thing, of which the first is told', [post(1, 2), stdin('abc'), open(2), open(3)], excess],
    ['more than one thing, the other way round', [post(1, 2), open(2), open(3), stdin('abc')], concurrent],
  ])('%s is told once', (_, parts, notice) => {
    const connection = server({ maxConcurrentPerConnection: 2 });
    expect(connection.takeNotice()).toBeUndefined();
    receive(connection, ...parts);
    expect(connection.takeNotice()).toMatchObject(notice);
    expect(connection.takeNotice()).toBeUndefined();
    receive(connection, open(8), open(9));
    expect(connection.takeNotice()).toBeUndefined();
  });

  it.each<[string, Uint8Array[]]>([
    ['a body of its length', [post(1, 3), stdin('abc'), stdin()]],
    ['a body of any length', [post(1), stdin('abc'), stdin()]],
    ['a body that was short', [post(1, 9), stdin('abc'), stdin()]],
    ['as many requests as there may be', [open(1), open(2)]],
  ])('is not %s', (_, parts) => {
    const connection = server({ maxConcurrentPerConnection: 2 });
    receive(connection, ...parts);
    expect(connection.takeNotice()).toBeUndefined();
  });

  it('is not what still comes of a request that was answered or aborted', () => {
    const connection = server();
    receive(connection, post(1, 3));
    whole(connection);
    receive(connection, stdin('abcdef'), post(2, 3), abort(2), stdin('abcdef', 2));
    expect(connection.takeNotice()).toBeUndefined();
  });

  it('is not what comes of a body whose reply has ended, though it has not gone out', () => {
    const connection = server();
    receive(connection, post(1, 9));
    head(connection);
    connection.send({ type: 'end', id: 1 });
    receive(connection, stdin('abc'));
    expect(connection.takeNotice()).toBeUndefined();
  });
});
