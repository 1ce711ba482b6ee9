import { isIP } from 'node:net';
import { ConfigError, printable } from '@postern/core';

/**
 * FCGI_WEB_SERVER_ADDRS (FastCGI 1.0 §3.2): the web servers that may connect to the socket that a process was started
 * with. undefined: it is not set, and anybody may.
 * @throws ConfigError ERR_ADDRESS
 */
export function webServerAddresses(): string[] | undefined {
  const { FCGI_WEB_SERVER_ADDRS: text } = process.env;
  if (text === undefined || text === '') return undefined;
  const addresses = text.split(',').map((address) => address.trim());
  const odd = addresses.find((address) => isIP(address) === 0 || address.includes('%'));
  if (odd !== undefined)
    throw new ConfigError(
      'ERR_ADDRESS',
      `FCGI_WEB_SERVER_ADDRS in the environment: "${printable(odd)}" is no IP address: write 192.0.2.1, several with commas`,
    );
  return addresses;
}
