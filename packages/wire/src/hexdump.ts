/**
 * Lines of sixteen bytes: offset, hexadecimal, and what is printable ASCII.
 * @param start the offset of the first byte
 */
export function hexdump(bytes: Uint8Array, start = 0): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0'));
    const left = hex.slice(0, 8).join(' ');
    const right = hex.slice(8).join(' ');
    const text = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${(start + at).toString(16).padStart(8, '0')}  ${`${left}  ${right}`.padEnd(49)} |${text}|`);
  }
  return lines.join('\n');
}
