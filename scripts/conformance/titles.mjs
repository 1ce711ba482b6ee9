// The rows that the title of a test begins with: "L5: …", "A1 (CVE-2020-1938): …", "fault 33, 34: …", "fault 41, F21: …".

const id = /v[FSAUCEH]\d+|L\d+|[AFSUCD]\d+|fault \d+|wrong port|reflection/.source;
const head = new RegExp(`^((?:${id})(?:, (?:${id}|\\d+))*)(?: \\([^:]*\\))?: (.+)$`, 's');

/** @returns {{ ids: string[], text: string }} */
export function titleOf(title) {
  const found = head.exec(title);
  if (found === null) return { ids: [], text: title };
  let prefix = '';
  const ids = found[1].split(', ').map((one) => {
    if (/^\d+$/.test(one)) return `${prefix}${one}`;
    prefix = one.replace(/\d+$/, '');
    return one;
  });
  return { ids, text: found[2] };
}
