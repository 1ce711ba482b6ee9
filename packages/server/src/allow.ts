import { BlockList, isIP } from 'node:net';
import { ConfigError } from '@postern/core';

/** Whether a host name or address is this machine's loopback. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Who may connect. @throws ConfigError ERR_ADDRESS: an entry is no CIDR */
export function allowList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const parts = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(entry);
    const network = parts?.[1] ?? '';
    const family = isIP(network);
    const width = family === 4 ? 32 : 128;
    const prefix = parts?.[2] === undefined ? width : Number(parts[2]);
    if (family === 0 || prefix > width) {
      throw new ConfigError(
        'ERR_ADDRESS',
        `allow=${entry}: not a network, write 192.0.2.0/24 or 2001:db8::/32, several with commas`,
      );
    }
    list.addSubnet(network, prefix, family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

/** An IPv4 peer of a dual-stack socket is looked up by its IPv4 address, a link-local one without its zone. */
export function isAllowed(list: BlockList, address: string | undefined): boolean {
  if (address === undefined) return false;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return list.check(mapped, 'ipv4');
  const plain = address.split('%', 1)[0];
  return list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
}
