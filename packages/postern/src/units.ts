const TIMES: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const SIZES: Record<string, number> = { '': 1, k: 1024, m: 1_048_576, g: 1_073_741_824 };

/** Milliseconds of `500ms`, `30s`, `5m`, `1h` or `0`; undefined: something else. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = /^([0-9]{1,12})(ms|s|m|h)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * TIMES[match[2]];
}

/** Bytes of `65536`, `64k`, `10m` or `1g` (powers of 1024); undefined: something else. */
export function parseSize(text: string): number | undefined {
  const match = /^([0-9]{1,16})([kmg]?)$/i.exec(text);
  return match === null ? undefined : Number(match[1]) * SIZES[match[2].toLowerCase()];
}

/** A whole number; undefined: something else. */
export function parseCount(text: string): number | undefined {
  return /^[0-9]{1,16}$/.test(text) ? Number(text) : undefined;
}

/** 30000 -> 30s */
export function formatDuration(milliseconds: number): string {
  return largest(milliseconds, TIMES);
}

/** 65536 -> 64k */
export function formatSize(bytes: number): string {
  return largest(bytes, SIZES);
}

function largest(value: number, units: Record<string, number>): string {
  let text = String(value);
  if (value === 0) return text;
  for (const [unit, size] of Object.entries(units)) if (value % size === 0) text = `${value / size}${unit}`;
  return text;
}
