/**
 * The head of a reply in CGI's form (RFC 3875 §6.2), as FastCGI, SCGI and CGI send it. `Status` always stands first:
 * Apache and Caddy take a reply without it for a 200, also where there is a Location.
 * @param headers flat [name, value, …], checked
 */
export function cgiReplyHead(status: number, reason: string, headers: readonly string[]): string {
  const first = status === 200 && reason === 'OK' ? 'Status: 200 OK\r\n' : `Status: ${status} ${reason}\r\n`;
  return replyHeadText(first, headers);
}

/**
 * The head of a reply up to its empty line.
 * @param first its first line, with its end
 */
export function replyHeadText(first: string, headers: readonly string[]): string {
  let text = first;
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${text}\r\n`;
}
