import { BlockList, isIP } from 'node:net';
import { ConfigError } from '@postern/core';

/** Whether a host name or address is this machine's loopback. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Who may connect. @throws ConfigError ERR_ADDRESS: an entry is no CIDR */
export function allowList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [network, bits, more] = entry.split('/');
    const family = isIP(network);
    const width = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? width : Number(bits);
    if (
      family === 0 ||
      more !== undefined ||
      bits === '' ||
      !Number.isInteger(prefix) ||
      prefix < 0 ||
      prefix > width
    ) {
      throw new ConfigError(
        'ERR_ADDRESS',
        `allow=${entry}: not a network, write 192.0.2.0/24 or 2001:db8::/32, several with commas`,
      );
    }
    list.addSubnet(network, prefix, family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

/** An IPv4 peer of a dual-stack socket is looked up by its IPv4 address. */
export function isAllowed(list: BlockList, address: string | undefined): boolean {
  if (address === undefined) return false;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return list.check(mapped, 'ipv4');
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
