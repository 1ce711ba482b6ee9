import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { nodeHandler } from '../src/node-handler.ts';
import { certificate } from './certificate.ts';
import { type Ask, FakeExchange } from './fake-exchange.ts';

function look<T>(ask: Ask, read: (socket: TLSSocket) => T): { seen: T; exchange: FakeExchange } {
  const exchange = new FakeExchange(ask);
  let seen: T | undefined;
  nodeHandler((req, res) => {
    seen = read(req.socket as TLSSocket);
    res.end();
  })(exchange);
  expect(exchange.failures).toEqual([]);
  return { seen: seen as T, exchange };
}

const ends = {
  REMOTE_ADDR: '2001:db8::7',
  REMOTE_PORT: '51234',
  SERVER_ADDR: '192.0.2.1',
  SERVER_PORT: '443',
};

describe('what a socket tells of its ends', () => {
  it('is what the web server tells', () => {
    const { seen } = look({ variables: ends }, (socket) => ({
      remote: [socket.remoteAddress, socket.remotePort, socket.remoteFamily],
      local: [socket.localAddress, socket.localPort, socket.localFamily],
      address: socket.address(),
    }));
    expect(seen).toEqual({
      remote: ['2001:db8::7', 51234, 'IPv6'],
      local: ['192.0.2.1', 443, 'IPv4'],
      address: { address: '192.0.2.1', family: 'IPv4', port: 443 },
    });
  });

  it('is nothing where the client came by a unix socket', () => {
    const { seen } = look({ variables: { REMOTE_ADDR: 'unix:', REMOTE_PORT: '' } }, (socket) => [
      socket.remoteAddress,
      socket.remotePort,
      socket.remoteFamily,
      socket.address(),
    ]);
    expect(seen).toEqual([undefined, undefined, undefined, {}]);
  });

  it('costs no environ where nobody asks', () => {
    const { exchange } = look({ variables: ends }, (socket) => socket.encrypted);
    expect(exchange.environs).toBe(0);
  });
});

describe('what a socket tells of TLS', () => {
  it('is nothing over http', () => {
    const { seen } = look({}, (socket) => [
      socket.encrypted,
      socket.authorized,
      socket.getPeerCertificate(),
      socket.getProtocol(),
    ]);
    expect(seen).toEqual([false, false, {}, null]);
  });

  it('is the protocol and the certificate that the web server passes on', () => {
    const variables = { SSL_CLIENT_CERT: certificate, SSL_CLIENT_VERIFY: 'SUCCESS', SSL_PROTOCOL: 'TLSv1.3' };
    const { seen } = look({ scheme: 'https', variables }, (socket) => ({
      tls: [socket.encrypted, socket.authorized, socket.getProtocol()],
      certificate: socket.getPeerCertificate(),
      x509: socket.getPeerX509Certificate(),
    }));
    expect(seen.tls).toEqual([true, true, 'TLSv1.3']);
    expect(seen.certificate.subject).toEqual(expect.objectContaining({ CN: 'client.example' }));
    expect(seen.certificate.fingerprint256).toBe(seen.x509?.fingerprint256);
  });

  it('is no authorisation where the web server only asked for a certificate', () => {
    const variables = { SSL_CLIENT_CERT: certificate, SSL_CLIENT_VERIFY: 'FAILED:self-signed certificate' };
    expect(look({ scheme: 'https', variables }, (socket) => socket.authorized).seen).toBe(false);
  });
});
