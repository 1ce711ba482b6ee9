/** The path of a request target: absolute-form loses its scheme and authority, the query is cut off. Not decoded. */
export function targetPath(target: string): string {
  let from = 0;
  if (target.charCodeAt(0) !== 47 /* / */) {
    const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*/.exec(target);
    if (authority) from = authority[0].length;
  }
  const query = target.indexOf('?', from);
  return query < 0 ? target.slice(from) : target.slice(from, query);
}

/** The query of a request target, without '?'. */
export function targetQuery(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? '' : target.slice(query + 1);
}

/** Percent-decodes into bytes as latin-1; what is no escape stays as it is. */
export function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Percent-encodes bytes held as latin-1, for a path: what RFC 3986 §3.3 allows in a path stays. */
export function encodePath(path: string): string {
  return path.replace(
    /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** What web servers do to a decoded path before they name it: slashes merged, dot segments removed (RFC 3986 §5.2.4). */
export function normalisePath(path: string): string {
  if (!path.includes('//') && !path.includes('/.')) return path;
  const out: string[] = [];
  const segments = path.replace(/\/{2,}/g, '/').split('/');
  segments.forEach((segment, i) => {
    const last = i === segments.length - 1;
    if (segment === '.' || segment === '..') {
      if (segment === '..' && out.length > 1) out.pop();
      if (last) out.push('');
    } else out.push(segment);
  });
  return out.join('/');
}

/**
 * SCRIPT_NAME and PATH_INFO as RFC 3875 §4.1.5 and §4.1.13 mean them, from what the web server sent.
 *
 * With `mount` the decoded path is split there, or left as sent where it lies elsewhere. Without it PATH_INFO stays as
 * sent; where it is absent and SCRIPT_NAME is absent or the whole path (nginx, Apache's ProxyPass, lighttpd on "/"),
 * SCRIPT_NAME becomes '' and PATH_INFO the decoded path, which is normalised where it comes out of the target.
 */
export function splitPath(
  scriptName: string | undefined,
  pathInfo: string | undefined,
  target: string,
  mount: string | undefined,
): { scriptName: string; pathInfo: string } {
  if (mount !== undefined) {
    const path = normalisePath(decodePath(targetPath(target)));
    if (path === mount || path.startsWith(`${mount}/`))
      return { scriptName: mount, pathInfo: path.slice(mount.length) };
  }
  if (pathInfo)
    return { scriptName: scriptName === '/' && pathInfo.startsWith('/') ? '' : (scriptName ?? ''), pathInfo };
  const path = targetPath(target);
  if (scriptName === undefined || scriptName === '')
    return { scriptName: '', pathInfo: path === '*' ? '' : normalisePath(decodePath(path)) };
  if (scriptName === path || scriptName === '/' || normalisePath(scriptName) === normalisePath(decodePath(path))) {
    return { scriptName: '', pathInfo: scriptName };
  }
  return { scriptName, pathInfo: '' };
}
