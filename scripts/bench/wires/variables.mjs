/** The fields of a request as CGI variables, as web servers add them: [name, value] pairs. */
export function headerVariables(headers) {
  return headers.map(([name, value]) => [`HTTP_${name.toUpperCase().replaceAll('-', '_')}`, value]);
}

/** The value of a field, or ''. */
export function field(headers, name) {
  return headers.find((one) => one[0].toLowerCase() === name)?.[1] ?? '';
}

/**
 * A reply in CGI's form, or with HTTP's status line in the place of Status.
 * @returns {{ status: number, body: string }}
 * @throws Error there is no end of the head
 */
export function cgiReply(text) {
  const blank = text.indexOf('\r\n\r\n');
  if (blank < 0) throw new Error(`a reply without an end of its head: ${JSON.stringify(text.slice(0, 200))}`);
  const status = /^(?:HTTP\/1\.[01]|Status:) ([0-9]{3})/im.exec(text.slice(0, blank));
  return { status: status === null ? 200 : Number(status[1]), body: text.slice(blank + 4) };
}
